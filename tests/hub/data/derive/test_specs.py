"""Spec tables of derivations and what `haitang check` says of broken ones."""

import pytest

from haitang.base.declarations.spec import SpecTable, parse_table
from haitang.base.declarations.testing import declarations_of, load_texts
from haitang.hub.data.derive import checks
from haitang.hub.data.derive.kinds import Derive
from tests.hub.data.derive.test_derive import FILES, OUTFALL

GIVEN = """
station  hour   pm2_5
s1       08:00     35
s1       09:00      -
"""


def spec(expect: str) -> list[str]:
    declarations = declarations_of(FILES)
    from pathlib import Path

    table = SpecTable(
        "derive",
        "air_hour",
        parse_table(GIVEN),
        parse_table(expect),
        {"day": "2026-03-01"},
        declarations,
        "example",
        Path("tests/air_hour.yaml"),
    )
    return [failure.message for failure in checks.run(declarations.get(Derive, "air_hour"), table)]


def test_a_table_that_holds_says_nothing() -> None:
    assert spec("station hour double o3\ns1 08:00 70 -\ns1 09:00 - -") == []


def test_a_table_that_does_not_hold_says_what_was_given() -> None:
    assert spec("station hour double\ns1 08:00 71\ns1 09:00 -") == ["double 应为 71，得到 70"]
    assert spec("station hour double\ns1 08:00 70") == ["应有 1 行，得到 2 行"]
    assert spec("station aqi\ns1 1") == ["语句没有选出列 aqi"]


@pytest.mark.parametrize(
    ("header", "sql", "code", "path"),
    [
        ("grain: [station]", "select station from nowhere", "derive.statement_reads", "sql"),
        ("grain: [station]", "select station from hour_means_of('pump')", "derive.statement_reads", "sql"),
        ("grain: [station]", "select thrice(pm2_5) as station from hour_means_of('air_station')", "derive.statement_reads", "sql"),
        ("grain: [station]\nkind: incremental", "select station from air_hour", "derive.bucket_is_named", "kind"),
        ("grain: [station]\nkind: incremental\ntime: day", "select station from air_hour", "derive.bucket_is_named", "grain"),
        ("grain: [hour]\nkind: keyed", "select hour from air_hour", "derive.bucket_is_named", "grain"),
        ("grain: [site]", "select station from air_hour", "derive.columns_are_selected", "grain"),
        ("grain: [river]", "select river, depth from outfall", "derive.fields_exist", "sql"),
        ("grain: [river]", "select o.river, o.depth from outfall as o", "derive.fields_exist", "sql"),
        ("grain: [owner]", "select owner, count(*) as n from outfall group by owner", "derive.protected_is_only_counted", "sql"),
        (
            "grain: [river]",
            "with o as (select river, upper(owner) as u from outfall) select river from o",
            "derive.protected_is_only_counted",
            "sql",
        ),
        ("grain: [river]\nkind: keyed", "select river from outfall", "derive.bucket_is_named", "kind"),
        ("grain: [station]\ntests: [aqi > 1]", "select station from air_hour", "derive.columns_are_selected", "tests.0"),
    ],
)
def test_a_broken_derivation_is_told_where(header: str, sql: str, code: str, path: str) -> None:
    loaded = load_texts({**FILES, "resources/outfall.yaml": OUTFALL, "derive/broken.sql": f"/*---\ntitle: 坏\n{header}\n---*/\n{sql}"})
    assert [(problem.code, problem.key_path) for problem in loaded.errors] == [(code, path)]


def test_protected_fields_may_be_counted_and_compared() -> None:
    sql = "select river, count(distinct owner) as owners from outfall where owner is not null group by river"
    loaded = load_texts(
        {**FILES, "resources/outfall.yaml": OUTFALL, "derive/owners.sql": f"/*---\ntitle: 户数\ngrain: [river]\n---*/\n{sql}"}
    )
    assert loaded.errors == []
