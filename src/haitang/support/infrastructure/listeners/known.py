"""A device as a listener knows it: which thing it is, with what it signs in, and what it observes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from haitang.support.infrastructure.credentials.secrets import matches
from haitang.support.infrastructure.listeners.rights import NONE, Rights
from haitang.support.infrastructure.stream.messages import Origin
from haitang.support.infrastructure.stream.messages import Statistic as Kept
from haitang.support.infrastructure.things.kinds import Device, Message, Statistic

Network = IPv4Network | IPv6Network
Path = tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """What a declared statistic is on the stream, and the period that it covers."""

    statistic: Kept
    length: int = 0  # microseconds

    @classmethod
    def of(cls, declared: Statistic) -> "Kind":
        period, _, statistic = declared.rpartition(" ")
        if not period:
            return cls("instant")
        span = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}[period]
        return cls(statistic, span // timedelta(microseconds=1))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Field:
    """Where a value stands in the device's own messages."""

    property: str
    path: Path
    kind: Kind
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True)
class Meaning:
    """What a type of device observes, and how its own messages read (`message` None: only ours are understood)."""

    properties: Mapping[str, tuple[str, tuple[float, float] | None]] = field(default_factory=dict)  # unit, range
    fields: tuple[Field, ...] = ()
    message: Message | None = None

    @classmethod
    def of(cls, device: Device) -> "Meaning":
        fields = [
            Field(word, tuple(path.split(".")), Kind.of(statistic), observed.scale, observed.offset)
            for word, observed in device.observes.items()
            for statistic, path in _paths(observed.path, observed.statistics[0]).items()
        ]
        return cls({word: (o.unit, o.range) for word, o in device.observes.items()}, tuple(fields), device.message)


def _paths(told: Any, first: Statistic) -> dict[Statistic, str]:
    if told is None:
        return {}
    return {first: told} if isinstance(told, str) else dict(told)


@dataclass(frozen=True)
class Known:
    """A thing that a credential signs in. `origin` is that of the thing, or replay where the credential says so."""

    node: str
    thing: str
    origin: Origin
    meaning: Meaning = Meaning()
    network: Network | None = None
    identifier: str = ""
    salt: bytes = b""
    digest: bytes = b""
    until: datetime | None = None
    rights: Rights = NONE

    def lets_in(self, secret: str, at: datetime) -> bool:
        return matches(self.salt, self.digest, secret) and (self.until is None or at < self.until)

    def may_come_from(self, address: str) -> bool:
        """Whether it may connect from this address."""
        if self.network is None:
            return True
        try:
            return ip_address(address) in self.network
        except ValueError:
            return False
