"""Times of HJ 212: China's civil time, written without a zone, and the periods that DataTime begins."""

import re
from datetime import datetime, timedelta

from haitang.base.clock import CHINA
from haitang.support.infrastructure.listeners.instants import AHEAD, EARLIEST, micros

__all__ = ["AHEAD", "EARLIEST", "SKEW", "aligned", "micros", "read"]

_WRITTEN = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\d{3})?\Z")
SKEW = timedelta(minutes=1)  # how far a period's start may stand off its hour or day by a clock's drift


def read(text: str) -> datetime | None:
    """`yyyyMMddhhmmss`, with milliseconds where a station adds them; None when it is no time."""
    found = _WRITTEN.match(text)
    try:
        return datetime(*map(int, found.groups()), tzinfo=CHINA) if found else None  # type: ignore[misc, arg-type]
    except ValueError:
        return None


def aligned(start: datetime, period: timedelta) -> tuple[datetime, bool]:
    """The boundary of local time that `start` means, and whether it is beyond doubt.

    Within a minute of a boundary (drift of the clock) it is that boundary. Further off, an hour or day is the one it falls into, in doubt; a shorter period
    keeps its start, in doubt: the station's interval is then not the declared one.
    """
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    into = (start - midnight) % period
    if into <= SKEW and into < period / 2:
        return start - into, True
    if period - into <= SKEW:
        return start - into + period, True
    return (start - into if period >= timedelta(hours=1) else start), False
