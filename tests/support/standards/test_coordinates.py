"""Coordinates: vectors of another implementation, and there and back again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haitang.support.standards.coordinates import SYSTEMS, convert

POINTS = [
    {"wgs84": (105.7153, 29.7059), "gcj02": (105.71891253, 29.70319325), "bd09": (105.72532036, 29.70950899)},
    {"wgs84": (116.404, 39.915), "gcj02": (116.41024450, 39.91640428), "bd09": (116.41662724, 39.92269955)},
    {"wgs84": (105.79, 29.75), "gcj02": (105.79363589, 29.74729465), "bd09": (105.80019145, 29.75305144)},
]


@pytest.mark.parametrize("source", ["wgs84", "gcj02", "bd09"])
@pytest.mark.parametrize("target", ["wgs84", "gcj02", "bd09"])
def test_known_points(source: str, target: str) -> None:
    lng, lat = convert([p[source][0] for p in POINTS], [p[source][1] for p in POINTS], source, target)
    assert np.allclose(lng, [p[target][0] for p in POINTS], rtol=0, atol=2e-8)
    assert np.allclose(lat, [p[target][1] for p in POINTS], rtol=0, atol=2e-8)


def test_cgcs2000_is_taken_as_wgs84() -> None:
    assert convert(105.7, 29.7, "cgcs2000", "wgs84") == (105.7, 29.7)


def test_a_mixed_up_datum_is_seen_at_once() -> None:
    lng, lat = convert(105.7153, 29.7059, "wgs84", "gcj02")
    assert 400 < 111_000 * np.hypot(lng - 105.7153, lat - 29.7059) < 600  # metres, roughly


def test_outside_of_china_gcj02_moves_nothing() -> None:
    assert convert([2.35, -70.0], [48.85, -30.0], "wgs84", "gcj02")[0].tolist() == [2.35, -70.0]


@given(st.floats(75, 134), st.floats(5, 52), st.sampled_from(SYSTEMS), st.sampled_from(SYSTEMS))
def test_there_and_back_is_the_same_point(lng: float, lat: float, source: str, target: str) -> None:
    x, y = convert(*convert(lng, lat, source, target), target, source)
    assert abs(x - lng) < 1e-9
    assert abs(y - lat) < 1e-9


def test_a_missing_coordinate_stays_missing() -> None:
    lng, _ = convert([float("nan"), 105.7], [29.7, 29.7], "gcj02", "wgs84")
    assert np.isnan(lng).tolist() == [True, False]
