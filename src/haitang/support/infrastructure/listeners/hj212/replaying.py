"""The things of this instance that may play a recorded series: those whose origin is `replay`."""

from haitang.base.declarations import in_force
from haitang.support.infrastructure.listeners.hj212.replay import Player
from haitang.support.infrastructure.listeners.hj212.station import Station
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import Thing
from haitang.support.infrastructure.things.queries import all_admitted
from haitang.support.security.tls.contexts import to_listener

# Listening on every address is reached on loopback.
_REACHED = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def reached(host: str) -> str:
    """The address at which a listener on `host` is reached from this machine."""
    return _REACHED.get(host, host)


def players(host: str, port: int) -> list[Player]:
    """A player for each thing marked replay whose device speaks HJ 212, ordered by id; `recorded` is still to be set."""
    devices = in_force().all(Device)
    things = all_admitted().filter(origin="replay").exclude(mn=None)
    return [
        _player(thing, devices[thing.device], host, port) for thing in things if thing.device in devices and devices[thing.device].hj212
    ]


def _player(thing: Thing, device: Device, host: str, port: int) -> Player:
    assert device.hj212 is not None
    station = Station(
        reached(host), port, mn=str(thing.mn), password=thing.password, system=f"{device.hj212.system:02d}",
        key=thing.sm4_key.encode() or None, flag=8 if thing.sm4_key else 4, tls=to_listener("hj212"),
    )  # fmt: skip
    return Player(station, "", {word: observed.hj212 for word, observed in device.observes.items() if observed.hj212}, thing.id)
