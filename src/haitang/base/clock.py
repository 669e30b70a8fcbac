"""The one source of time.

Everything that needs "now" asks here, so that a test can freeze it and a tour can say what it saw. Times are aware, in UTC inside;
China's civil time (UTC+08:00, no daylight saving since 1991) is what people, calendars and HJ 212 stations speak.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "+08:00")

_frozen: ContextVar[datetime | None] = ContextVar("haitang_frozen_now", default=None)


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return _frozen.get() or datetime.now(UTC)


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Hold `now()` at `at` (aware) inside the block: for tests and spec tables."""
    if at.tzinfo is None:
        raise ValueError("frozen() needs an aware datetime")
    token = _frozen.set(at.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.reset(token)
