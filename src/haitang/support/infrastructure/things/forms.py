"""What forms about things tell, read."""

from datetime import datetime

from haitang.base import clock
from haitang.base.errors import error

BAD_COORDINATES = error("things.bad_coordinates", 400, "经纬度须为十进制度数，例如 105.7215 和 29.7074。")
BAD_TIME = error("things.bad_time", 400, "“{text}”不是时间，请写作 2026-03-01 08:30。")


def time_of(text: str) -> datetime:
    """A time as a form tells it: China's civil time. Raises BAD_TIME."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=clock.CHINA)
    except ValueError:
        raise BAD_TIME(text=text) from None


def degrees(text: str | None, limit: float) -> float | None:
    """Degrees, None where nothing was told. Raises BAD_COORDINATES."""
    if not text or not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        raise BAD_COORDINATES() from None
    if not -limit <= value <= limit:
        raise BAD_COORDINATES()
    return value
