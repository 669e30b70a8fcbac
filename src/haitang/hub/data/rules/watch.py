"""What a rule watches: device type, property and statistic, as declarations write them."""

import re
from dataclasses import dataclass

_WATCH = re.compile(r"^\s*([a-z][a-z0-9_]*)(?:\.([a-z][a-z0-9_]*)\s*,\s*([a-z]+(?: [a-z]+)?))?\s*$")
_HOUR = 3_600_000_000
_DAY = 24 * _HOUR

PERIODS = {"instant": 0, "minute": 60_000_000, "hour": _HOUR, "day": _DAY}


@dataclass(frozen=True)
class Watch:
    """`air_station.pm2_5, hour mean`, or only `air_station` (observed and statistic None) for silence."""

    device: str
    observed: str | None = None
    statistic: str | None = None

    @property
    def period(self) -> int:
        """Nominal period in microseconds; 0 for instants and silence."""
        return PERIODS[(self.statistic or "instant").split()[0]]


def parse_watch(text: str) -> Watch:
    """ValueError says how to write it."""
    match = _WATCH.match(text)
    if not match:
        raise ValueError(f"`{text}` is not a thing to watch: write air_station.pm2_5, hour mean (or air_station alone for silence)")
    return Watch(match[1], match[2], match[3])
