"""A station as the listener knows it: which thing it is, and what each of its factor codes means."""

from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address

from haitang.support.infrastructure.listeners.hj212.factors import old_names
from haitang.support.infrastructure.listeners.rights import NONE, Rights
from haitang.support.infrastructure.stream.messages import Origin
from haitang.support.infrastructure.things.kinds import Device

MOST_FOUND = 1000
Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Target:
    """The property that a factor code carries, with the unit and range that the device's declaration gives."""

    property: str
    unit: str
    range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Meanings:
    """What the factor codes of one device type mean."""

    by_code: dict[str, Target] = field(default_factory=dict)
    old: dict[str, str] = field(default_factory=dict)
    minutes: timedelta = timedelta(minutes=10)
    system: str = ""  # the system code ST of what it observes
    _found: dict[tuple[str, str], Target | None] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, device: Device) -> "Meanings":
        codes = {o.hj212.lower(): Target(word, o.unit, o.range) for word, o in device.observes.items() if o.hj212}
        interval = device.hj212.minute_interval if device.hj212 else 10
        system = f"{device.hj212.system:02d}" if device.hj212 else ""
        return cls(codes, old_names(codes), timedelta(minutes=interval), system)

    def target(self, code: str, variant: str) -> Target | None:
        """The property of a code (new or of 2005), `variant` being a suffix such as `-zs`; looked up once for each code as it is written."""
        key = code, variant
        if key in self._found:
            return self._found[key]
        told = code.lower()
        found = self.by_code.get(told + variant) or self.by_code.get(self.old.get(told, told) + variant)
        if len(self._found) < MOST_FOUND:  # stations may write anything
            self._found[key] = found
        return found


@dataclass(frozen=True)
class Source:
    """An admitted station. `key`: its SM4 key of 16 bytes; `password` None: not checked; `network` None: from anywhere."""

    node: str
    thing: str
    mn: str
    origin: Origin = "live"
    password: str | None = None
    key: bytes | None = None
    network: Network | None = None
    meanings: Meanings = field(default_factory=Meanings)
    rights: Rights = NONE

    def may_come_from(self, address: str) -> bool:
        """Whether the station may connect from this address."""
        if self.network is None:
            return True
        try:
            return ip_address(address) in self.network
        except ValueError:
            return False

    @property
    def minutes(self) -> timedelta:
        return self.meanings.minutes
