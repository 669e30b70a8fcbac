"""Coordinate systems in use in China, one into the other, over whole columns.

Words: `wgs84`, `cgcs2000` (EPSG:4490; equal to WGS-84 within centimetres, taken as equal here), `gcj02` (maps of Amap, Tencent, DingTalk), `bd09`
(Baidu). Longitude and latitude in degrees. GCJ-02 and BD-09 are not published standards: the constants are those that all implementations share.
The way back is by iteration, to about 1e-10 degree; the one-step subtraction that most packages use is off by a metre or two.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Degrees = npt.NDArray[np.float64]
Pair = tuple[Degrees, Degrees]
SYSTEMS = ("wgs84", "cgcs2000", "gcj02", "bd09")

_A = 6378245.0  # Krasovsky 1940
_E2 = 0.00669342162296594323
_X_PI = np.pi * 3000.0 / 180.0
_ROUNDS = 8


def convert(longitude: npt.ArrayLike, latitude: npt.ArrayLike, source: str, target: str) -> Pair:
    """The same points in another system, in the shape of what was given. Raises KeyError for a system that is not in SYSTEMS."""
    lng, lat = np.array(longitude, np.float64), np.array(latitude, np.float64)
    begin, end = _RANK[source], _RANK[target]
    for step in _UP[begin:end] if begin < end else _DOWN[end:begin][::-1]:
        lng, lat = step(lng, lat)
    return lng, lat


def _shift(lng: Degrees, lat: Degrees) -> Pair:
    """By how much GCJ-02 moves a point of WGS-84, in degrees; nothing outside of China's bounding box."""
    x, y = lng - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    common = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    m = 1.0 - _E2 * np.sin(phi) ** 2
    north = north * 180.0 / (_A * (1.0 - _E2) / (m * np.sqrt(m)) * np.pi)
    east = east * 180.0 / (_A / np.sqrt(m) * np.cos(phi) * np.pi)
    inside = (lng > 73.66) & (lng < 135.05) & (lat > 3.86) & (lat < 53.55)
    return np.where(inside, east, 0.0), np.where(inside, north, 0.0)


def _to_gcj02(lng: Degrees, lat: Degrees) -> Pair:
    east, north = _shift(lng, lat)
    return lng + east, lat + north


def _to_bd09(lng: Degrees, lat: Degrees) -> Pair:
    z = np.hypot(lng, lat) + 0.00002 * np.sin(lat * _X_PI)
    theta = np.arctan2(lat, lng) + 0.000003 * np.cos(lng * _X_PI)
    return z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006


def _inverse(forward: Callable[[Degrees, Degrees], Pair]) -> Callable[[Degrees, Degrees], Pair]:
    def back(lng: Degrees, lat: Degrees) -> Pair:
        x, y = lng, lat
        for _ in range(_ROUNDS):
            there_x, there_y = forward(x, y)
            x, y = x - (there_x - lng), y - (there_y - lat)
        return x, y

    return back


_RANK = {"wgs84": 0, "cgcs2000": 0, "gcj02": 1, "bd09": 2}
_UP = (_to_gcj02, _to_bd09)
_DOWN = (_inverse(_to_gcj02), _inverse(_to_bd09))
