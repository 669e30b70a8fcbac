"""Air quality index by HJ 633, exactly, over Arrow columns.

The edition is that of the data's date: HJ 633-2012 before 2026-03-01 (China time), HJ 633-2026 since. Concentrations in ug/m3, CO in mg/m3; a null is a
missing value. Concentrations are rounded half-even (GB/T 8170) to integers, CO to 0.1; the individual index is rounded up. All arithmetic is in
integers, so that a break point gives exactly its index.
"""

from datetime import date, datetime, timedelta, timezone
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

_INDEX = (0, 50, 100, 150, 200, 300, 400, 500)
_SAME = {
    "so2_day": (0, 50, 150, 475, 800, 1600, 2100, 2620),
    "so2_hour": (0, 150, 500, 650, 800),
    "no2_day": (0, 40, 80, 180, 280, 565, 750, 940),
    "no2_hour": (0, 100, 200, 700, 1200, 2340, 3090, 3840),
    "co_day": (0, 2, 4, 14, 24, 36, 48, 60),
    "co_hour": (0, 5, 10, 35, 60, 90, 120, 150),
    "o3_8h": (0, 100, 160, 215, 265, 800),
    "o3_hour": (0, 160, 200, 300, 400, 800, 1000, 1200),
}
BREAK_POINTS = {
    2012: {**_SAME, "pm10_day": (0, 50, 150, 250, 350, 420, 500, 600), "pm2_5_day": (0, 35, 75, 115, 150, 250, 350, 500)},
    2026: {**_SAME, "pm10_day": (0, 50, 120, 250, 350, 420, 500, 600), "pm2_5_day": (0, 35, 60, 115, 150, 250, 350, 500)},
}
# What a value above the last break point counts as. Under the 2012 edition SO2 1 h and O3 8 h have no index there.
_ABOVE: dict[int, dict[str, int | None]] = {2012: {"so2_hour": None, "o3_8h": None}, 2026: {"so2_hour": 200, "o3_8h": 300}}
_CHINA = timezone(timedelta(hours=8))
_MICRO = 1_000_000


def individual_index(edition: int, item: str, concentration: pa.DoubleArray) -> pa.Int64Array:
    """IAQI of one item (`pm2_5_day`, `so2_hour`, ...) under an edition, 2012 or 2026; null for missing, negative or not finite."""
    item = item.removesuffix("_instead")
    scale = 10 if item.startswith("co_") else 1
    x, points = _rounded(concentration, scale), BREAK_POINTS[edition][item]
    above = pa.scalar(_ABOVE[edition].get(item, 500), pa.int64())
    found = pc.if_else(pc.is_valid(x), above, pa.scalar(None, pa.int64()))
    for low, high, index, next_index in reversed(list(zip(points, points[1:], _INDEX, _INDEX[1:], strict=False))):
        width = (high - low) * scale
        steps = pc.multiply(pc.subtract(x, low * scale), next_index - index)
        found = pc.if_else(pc.less_equal(x, high * scale), pc.add(pc.divide(pc.add(steps, width - 1), width), index), found)
    return found


def _rounded(concentration: pa.DoubleArray, scale: int) -> pa.Int64Array:
    """Concentration times `scale`, rounded half-even as the decimal number that was written, not as its binary neighbour."""
    kept = pc.and_(pc.greater_equal(concentration, 0.0), pc.less(concentration, 1e9))
    usable = pc.if_else(kept, concentration, pa.scalar(None, pa.float64()))
    micro = pc.cast(pc.round(pc.multiply(usable, float(_MICRO))), pa.int64())
    unit = _MICRO // scale
    whole = pc.divide(micro, unit)
    twice = pc.multiply(pc.subtract(micro, pc.multiply(whole, unit)), 2)
    odd = pc.equal(pc.bit_wise_and(whole, 1), 1)
    up = pc.or_(pc.greater(twice, unit), pc.and_(pc.equal(twice, unit), odd))
    return pc.add(whole, pc.cast(up, pa.int64()))


def _edition_2026(when: pa.Array) -> pa.BooleanArray:
    """Whether HJ 633-2026 holds: from 2026-03-01 on, China time. `when` is a date, a local timestamp or an instant."""
    if pa.types.is_date(when.type):
        first = pa.scalar(date(2026, 3, 1), when.type)
    elif when.type.tz is None:
        first = pa.scalar(datetime(2026, 3, 1), when.type)  # noqa: DTZ001  a local timestamp has no zone
    else:
        first = pa.scalar(datetime(2026, 3, 1, tzinfo=_CHINA), when.type)
    return pc.greater_equal(when, first)


def _index(edition: int, items: dict[str, pa.Array]) -> pa.Int64Array:
    """The greatest IAQI; null when an item is missing and the rest gives no more than 100 (HJ 633: then only single values are published)."""
    found = [individual_index(edition, item, values) for item, values in items.items()]
    greatest = pc.max_element_wise(*found)
    complete = reduce(pc.and_, [pc.is_valid(values) for item, values in items.items() if item != _INSTEAD])
    published = pc.if_else(pc.or_(complete, pc.greater(greatest, 100)), greatest, pa.scalar(None, pa.int64()))
    return pc.max_element_wise(published, 1, skip_nulls=False) if edition == 2026 else published


_NAMES = {"pm2_5": "PM2.5", "pm10": "PM10", "so2": "SO2", "no2": "NO2", "co": "CO", "o3": "O3"}


def _primary(edition: int, items: dict[str, pa.Array]) -> pa.StringArray:
    """The items with the greatest IAQI, by formula and joined by commas, when the AQI is above 50; else null."""
    index, leads = _index(edition, items), dict[str, pa.BooleanArray]()
    for item, values in items.items():
        name = _NAMES[item.removesuffix("_instead").rpartition("_")[0]]
        leading = pc.fill_null(pc.equal(individual_index(edition, item, values), index), False)
        leads[name] = pc.or_(leads[name], leading) if name in leads else leading
    listed = reduce(lambda text, more: pc.binary_join_element_wise(text, more, ""), [pc.if_else(w, f",{n}", "") for n, w in leads.items()])
    return pc.if_else(pc.greater(index, 50), pc.utf8_ltrim(listed, ","), pa.scalar(None, pa.string()))


_INSTEAD = "so2_day_instead"  # counts only where the hour of SO2 has no index


def _hour_items(pm2_5: pa.Array, pm10: pa.Array, so2: pa.Array, no2: pa.Array, co: pa.Array, o3: pa.Array) -> dict[str, pa.Array]:
    """HJ 633-2026: six 1 h means, particles by the columns of the day."""
    return {"pm2_5_day": pm2_5, "pm10_day": pm10, "so2_hour": so2, "no2_hour": no2, "co_hour": co, "o3_hour": o3}


def _hour_items_2012(so2: pa.Array, no2: pa.Array, co: pa.Array, o3: pa.Array, *moving: pa.Array) -> dict[str, pa.Array]:
    """HJ 633-2012 reports nine items an hour. Seven have break points: 1 h means of the gases, the moving 8 h mean of ozone, moving 24 h means of particles.

    The 1 h means of the particles are reported without an index. Where SO2 of the hour is above 800 its moving 24 h mean counts instead.
    """
    pm2_5_24h, pm10_24h, so2_24h, o3_8h = moving
    particles = {"pm2_5_day": pm2_5_24h, "pm10_day": pm10_24h}
    instead = pc.if_else(pc.fill_null(pc.greater(so2, 800.5), False), so2_24h, pa.scalar(None, pa.float64()))
    return {**particles, "so2_hour": so2, "no2_hour": no2, "co_hour": co, "o3_hour": o3, "o3_8h": o3_8h, _INSTEAD: instead}


def _day_items(
    pm2_5: pa.Array, pm10: pa.Array, so2: pa.Array, no2: pa.Array, co: pa.Array, o3_8h: pa.Array, o3_max: pa.Array | None = None
) -> dict[str, pa.Array]:
    """Six daily items; the 2012 edition also counts the greatest hour of ozone."""
    six = {"pm2_5_day": pm2_5, "pm10_day": pm10, "so2_day": so2, "no2_day": no2, "co_day": co, "o3_8h": o3_8h}
    return six if o3_max is None else {**six, "o3_hour": o3_max}


def air_quality_index(
    hour: pa.TimestampArray,
    pm2_5: pa.DoubleArray,
    pm10: pa.DoubleArray,
    so2: pa.DoubleArray,
    no2: pa.DoubleArray,
    co: pa.DoubleArray,
    o3: pa.DoubleArray,
    pm2_5_24h: pa.DoubleArray,
    pm10_24h: pa.DoubleArray,
    so2_24h: pa.DoubleArray,
    o3_8h: pa.DoubleArray,
) -> pa.Int64Array:
    """Real-time AQI of the hour that begins at `hour`: by the six 1 h means since 2026-03-01, before that by 1 h means of the gases and moving means."""
    new, old = _hour_items(pm2_5, pm10, so2, no2, co, o3), _hour_items_2012(so2, no2, co, o3, pm2_5_24h, pm10_24h, so2_24h, o3_8h)
    return pc.if_else(_edition_2026(hour), _index(2026, new), _index(2012, old))


def primary_pollutant(
    hour: pa.TimestampArray,
    pm2_5: pa.DoubleArray,
    pm10: pa.DoubleArray,
    so2: pa.DoubleArray,
    no2: pa.DoubleArray,
    co: pa.DoubleArray,
    o3: pa.DoubleArray,
    pm2_5_24h: pa.DoubleArray,
    pm10_24h: pa.DoubleArray,
    so2_24h: pa.DoubleArray,
    o3_8h: pa.DoubleArray,
) -> pa.StringArray:
    """Primary pollutants of the hour, such as `PM2.5` or `PM10,O3`; null at an AQI up to 50."""
    new, old = _hour_items(pm2_5, pm10, so2, no2, co, o3), _hour_items_2012(so2, no2, co, o3, pm2_5_24h, pm10_24h, so2_24h, o3_8h)
    return pc.if_else(_edition_2026(hour), _primary(2026, new), _primary(2012, old))


def daily_air_quality_index(
    day: pa.Date32Array,
    pm2_5: pa.DoubleArray,
    pm10: pa.DoubleArray,
    so2: pa.DoubleArray,
    no2: pa.DoubleArray,
    co: pa.DoubleArray,
    o3_8h: pa.DoubleArray,
    o3_max: pa.DoubleArray,
) -> pa.Int64Array:
    """AQI of a day from day means, the greatest 8 h mean of ozone and (2012 edition only) its greatest hour."""
    new, old = _day_items(pm2_5, pm10, so2, no2, co, o3_8h), _day_items(pm2_5, pm10, so2, no2, co, o3_8h, o3_max)
    return pc.if_else(_edition_2026(day), _index(2026, new), _index(2012, old))


def daily_primary_pollutant(
    day: pa.Date32Array,
    pm2_5: pa.DoubleArray,
    pm10: pa.DoubleArray,
    so2: pa.DoubleArray,
    no2: pa.DoubleArray,
    co: pa.DoubleArray,
    o3_8h: pa.DoubleArray,
    o3_max: pa.DoubleArray,
) -> pa.StringArray:
    """Primary pollutants of a day; null at an AQI up to 50."""
    new, old = _day_items(pm2_5, pm10, so2, no2, co, o3_8h), _day_items(pm2_5, pm10, so2, no2, co, o3_8h, o3_max)
    return pc.if_else(_edition_2026(day), _primary(2026, new), _primary(2012, old))


def air_quality_level(aqi: pa.Int64Array) -> pa.Int64Array:
    """Level 1 (优) to 6 (严重污染) of an AQI."""
    over = [pc.cast(pc.greater(aqi, limit), pa.int64()) for limit in (50, 100, 150, 200, 300)]
    return reduce(pc.add, over, pc.if_else(pc.is_valid(aqi), 1, pa.scalar(None, pa.int64())))
