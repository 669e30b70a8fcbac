"""Which days there are in the Gregorian calendar (GB/T 7408), of whole columns of numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt

_LENGTHS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, *[0] * 87)
_DAYS = np.array([1 <= day % 100 <= _LENGTHS[day // 100] for day in range(10_000)])
_LEAP_DAY = 229


def are_days(year: Any, month_and_day: Any) -> npt.NDArray[np.bool_]:
    """A mask of the days that are in the calendar; `month_and_day`: 301 for 1 March."""
    found: npt.NDArray[np.bool_] = _DAYS.take(month_and_day, mode="clip")
    leaps = np.flatnonzero(month_and_day == _LEAP_DAY)
    years = year[leaps]
    found[leaps] = (years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0))
    return found
