"""What is computed from the fields of a resource. Rooms above offer it: `register("derive", uses)` in their `AppConfig.ready`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Use:
    """Something that reads a field: `kind` is its word (derive, indicator), `title` its name in zh-Hans, `url` where it is shown, empty where it has no page."""

    kind: str
    id: str
    title: str
    url: str


# Resource -> field -> what reads it.
Uses = Callable[[str], Mapping[str, list[Use]]]
_registered: dict[str, Uses] = {}


def register(room: str, uses: Uses) -> None:
    """Offer what a room computes from resources."""
    _registered[room] = uses


def of(resource: str) -> dict[str, list[Use]]:
    """Field -> what is computed from it, in the order in which rooms registered."""
    found: dict[str, list[Use]] = {}
    for uses in _registered.values():
        for name, each in uses(resource).items():
            found.setdefault(name, []).extend(each)
    return found
