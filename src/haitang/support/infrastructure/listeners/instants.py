"""Instants as the stream has them, and which of them are believed."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # an unset clock says 1970 or 1999
AHEAD = timedelta(minutes=10)  # how far a device's clock may run ahead before its time is not believed
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Unix microseconds."""
    return (at - EPOCH) // _MICROSECOND
