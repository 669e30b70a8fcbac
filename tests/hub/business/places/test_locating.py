"""Divisions by point: the town where it has a boundary, else the place, else nowhere."""

import json

import pytest

from haitang.base import ports
from haitang.hub.business.places.queries import division_of
from tests.hub.business.world import World, declare


def square(west: float, south: float, size: float, code: str | None) -> dict[str, object]:
    ring = [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]
    return {"type": "Feature", "properties": {"code": code}, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def declare_boundary(*features: dict[str, object]) -> None:
    divisions = "'990001001': {title: 东街道, level: town}\n'990001002': {title: 西镇, level: town}\n"
    boundary = json.dumps({"type": "FeatureCollection", "source": "made up", "features": features})
    declare(place={"divisions.yaml": divisions, "boundary.geojson": boundary})


def test_a_point_finds_its_town_else_the_place_else_nothing(world: World) -> None:
    declare_boundary(square(105, 29, 1, None), square(105.5, 29.5, 0.2, "990001001"), square(105, 29, 0.2, "990001002"))
    found = ports.divisions().locate([105.6, 105.1, 105.4, 110.0, float("nan")], [29.6, 29.1, 29.4, 29.5, 29.5])
    assert list(found) == ["990001001", "990001002", "990001", "", ""]
    assert division_of("990001001") is not None


def test_a_point_on_the_edge_belongs_to_the_place(world: World) -> None:
    declare_boundary(square(105, 29, 1, None))
    assert list(ports.divisions().locate([105.0, 106.0], [29.0, 29.5])) == ["990001", "990001"]


def test_a_boundary_of_an_unknown_code_counts_as_the_places_own(world: World) -> None:
    declare_boundary(square(105, 29, 1, "110105001"))
    assert list(ports.divisions().locate([105.5], [29.5])) == ["990001"]


@pytest.mark.parametrize("features", [0, 1])
def test_no_points_and_no_boundary_are_no_trouble(world: World, features: int) -> None:
    declare_boundary(*[square(105, 29, 1, None)] * features)
    assert list(ports.divisions().locate([], [])) == []
    assert list(ports.divisions().locate([0.0], [0.0])) == [""]


def test_another_release_brings_its_own_boundary(world: World) -> None:
    declare_boundary(square(105, 29, 1, None))
    assert list(ports.divisions().locate([107.5], [29.5])) == [""]
    declare_boundary(square(107, 29, 1, None))
    assert list(ports.divisions().locate([107.5], [29.5])) == ["990001"]


def test_the_place_knows_its_own_codes(world: World) -> None:
    declare_boundary()
    assert ports.divisions().known() == {"990001", "990001001", "990001002"}
