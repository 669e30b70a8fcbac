"""Divisions by code."""

from haitang.hub.business.places.queries import boundary, division_of, division_tree
from tests.hub.business.world import World, declare

DIVISIONS = """
'990001': {title: 试验区, level: district}
'990001001': {title: 东街道, level: town}
'990001002': {title: 西镇, level: town}
'990001001003': {title: 三社区, level: village}
"""


def test_a_grid_code_finds_its_community_else_its_town(world: World) -> None:
    declare(place={"divisions.yaml": DIVISIONS})
    found = [division_of(code) for code in ("990001001003002", "990001001009001", "990001", "110000")]
    assert [division and division.title for division in found] == ["三社区", "东街道", "试验区", None]


def test_the_tree_follows_the_codes(world: World) -> None:
    declare(place={"divisions.yaml": DIVISIONS})
    (root,) = division_tree()
    assert (root.title, [town.title for town in root.children]) == ("试验区", ["东街道", "西镇"])
    assert [village.title for village in root.children[0].children] == ["三社区"]


def test_a_place_without_a_boundary_has_none(world: World) -> None:
    assert boundary() is None
