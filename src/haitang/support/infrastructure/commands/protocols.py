"""How protocols plug in: what each lets a thing be told. Page, API, rules and listeners know commands by this alone; how one is encoded and delivered is the protocol's.

A protocol's room registers it in `apps.py`; its listener asks `queries.waiting`, sends, and says by `actions.note` how far a command came.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from haitang.base.errors import error
from haitang.support.infrastructure.things.models import Thing

UNKNOWN = error("commands.unknown", 400, "设备“{title}”没有指令“{name}”。")


@dataclass(frozen=True)
class Field:
    """One value that a person fills in. `kind`: value (a number where it reads as one, else text), integer within `range`, choice of `range`, time, or code."""

    name: str
    title: str
    kind: str = "value"
    range: tuple[int, ...] = ()
    optional: bool = False
    longest: int = 200


class Offer(Protocol):
    """One command that a thing may be given. `works`: it makes instruments act."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def fields(self) -> Sequence[Field]: ...
    @property
    def works(self) -> bool: ...

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What was filled in, checked, as the protocol writes it; raises errors of the protocol."""
        ...


class Way(Protocol):
    """A protocol. `once`: the same command is not queued twice while one is open."""

    id: str
    title: str
    once: bool

    def offers(self, thing: Thing) -> Sequence[Offer]:
        """What this thing may be told this way; none where it does not speak the protocol."""
        ...


_ways: dict[str, Way] = {}


def register(way: Way) -> None:
    """Called once by the room of a protocol."""
    _ways[way.id] = way


def title_of(protocol: str) -> str:
    return _ways[protocol].title if protocol in _ways else protocol


def offers(thing: Thing) -> list[tuple[Way, Offer]]:
    """All that a thing may be told, by protocol in order of registration."""
    return [(way, offer) for way in _ways.values() for offer in way.offers(thing)]


def offer(thing: Thing, name: str) -> tuple[Way, Offer]:
    """One of them; raises UNKNOWN."""
    for way, found in offers(thing):
        if found.name == name:
            return way, found
    raise UNKNOWN(title=thing.title, name=name)
