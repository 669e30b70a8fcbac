"""A derivation over a gathered resource holds what is in the resource now, and knows from which column of which file each number comes."""

import sys
from typing import Any

import pytest

from haitang.base.clock import now
from haitang.base.declarations import Declarations
from haitang.base.declarations.testing import declarations_of
from haitang.hub.data.catalogue import uses
from haitang.hub.data.derive import engine
from haitang.hub.data.derive.compute import compute
from haitang.hub.data.derive.lineage import lineage
from haitang.hub.data.derive.models import DerivationRun
from haitang.hub.data.derive.plan import plan
from haitang.hub.data.indicators.sources import of_tables
from tests.hub.data.gather.conftest import OPERATOR, Bench, bench  # noqa: F401  a fixture
from tests.hub.data.gather.sample import FILES

pytestmark = pytest.mark.django_db

BY_KIND = """
    /*---
    title: 商户按类别
    grain: [kind]
    tests: [shops > 0]
    ---*/
    select kind, count(*) as shops, sum(area) as area from shop group by kind
"""
LARGEST = """
    /*---
    title: 最大类别
    grain: [kind]
    ---*/
    select kind, area as most from by_kind
"""
SHOPS = """
    title: 经营面积
    unit: m2
    value: select sum(area) from by_kind
    records: by_kind
"""


@pytest.fixture
def release() -> Declarations:
    derived = {"derive/by_kind.sql": BY_KIND, "derive/largest.sql": LARGEST, "indicators/shops.yaml": SHOPS}
    streets = {
        "resources/streets.yaml": FILES["resources/streets.yaml"],
        "code_tables/shop_kinds.yaml": FILES["code_tables/shop_kinds.yaml"],
    }
    return declarations_of({"resources/shop.yaml": FILES["resources/shop.yaml"], **streets, **derived})


def rows(lake: Any, table: str = "derived_by_kind") -> list[tuple[Any, ...]]:
    return [(row[0], *map(float, row[1:])) for row in lake.execute(f"select * from lake.{table} order by 1").fetchall()]


HEAD = "编号,名称,类别,面积\n"


def test_it_follows_runs_that_end_and_only_those(bench: Bench, release: Declarations) -> None:  # noqa: F811
    assert engine.update(bench.lake, release, 0) == set()
    assert rows(bench.lake) == []
    bench.gather(HEAD + "S001,小店一,a,10\nS002,小店二,b,5\nS003,小店三,b,-1\n")
    assert engine.update(bench.lake, release, 0) == set()
    assert rows(bench.lake) == [("a", 1, 10), ("b", 1, 5)]
    assert rows(bench.lake, "derived_largest") == [("a", 10), ("b", 5)]
    before = DerivationRun.objects.count()
    assert engine.update(bench.lake, release, 99) == set()
    assert DerivationRun.objects.count() == before
    bench.gather(HEAD + "S002,小店二,a,7\n")
    assert engine.update(bench.lake, release, 99) == set()
    assert rows(bench.lake) == [("a", 2, 17)]


def test_a_declared_test_that_fails_is_counted(bench: Bench, release: Declarations) -> None:  # noqa: F811
    broken = declarations_of({**_texts(), "derive/by_kind.sql": BY_KIND.replace("shops > 0", "area > 8")})
    bench.gather(HEAD + "S001,小店一,a,10\nS002,小店二,b,5\n")
    planned = next(each for each in plan(broken) if each.derive.id == "by_kind")
    computed = compute(bench.lake, planned, broken, lambda device: [], 1, 1)
    assert computed is not None
    assert [(failure["test"], failure["rows"]) for failure in computed.failures] == [("area > 8", 1)]


def _texts() -> dict[str, str]:
    return {name: FILES[name] for name in ("resources/shop.yaml", "resources/streets.yaml", "code_tables/shop_kinds.yaml")}


def test_lineage_leads_from_the_field_through_derivations_to_the_indicator(release: Declarations, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lineage("largest", release) == {"kind": ["shop.kind, gathered"], "most": ["shop.area, gathered"]}
    monkeypatch.setattr(sys.modules["haitang.base.declarations.in_force"], "_current", lambda: release)
    used = {field: [each.id for each in found] for field, found in uses.of("shop").items()}
    assert used["area"] == ["by_kind", "largest", "shops"]
    assert used["kind"] == ["by_kind", "largest"]


def test_an_indicator_is_as_fresh_as_the_run_that_it_reads(bench: Bench, release: Declarations) -> None:  # noqa: F811
    assert of_tables(["by_kind"], release, now()).newest is None
    run = bench.gather(HEAD + "S001,小店一,a,10\n", synthetic=True)
    found = of_tables(["largest"], release, now())
    assert (found.newest, found.origins) == (run.finished_at, ("simulated",))
