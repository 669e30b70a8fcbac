"""Each rule, over columns: what is accepted as which value, and every reason why a row is not."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from haitang.base.declarations.loader import load_folders
from haitang.base.declarations.owners import Owner
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather.judge.columns import match
from haitang.hub.data.gather.judge.judge import Judge, Judged, nowhere
from haitang.hub.data.gather.judge.lookups import Nothing
from haitang.hub.data.gather.judge.reasons import said
from haitang.hub.data.gather.readers.types import Broken
from haitang.hub.data.lake.connection import plain
from tests.hub.data.gather.sample import chunk, declared, good

Rows = Sequence[Mapping[str, str | None]]


def judge_for(rows: Rows, known: Mapping[str, Sequence[str]] | None = None, **changes: str) -> Judge:
    declarations = declared(**changes)
    resource = declarations.get(Resource, "shop")
    headings = list(dict.fromkeys(name for row in rows for name in row))
    return Judge(plain(), resource, match(resource, headings), declarations, Nothing(known), nowhere, keep_keys=True)


def judged(*rows: Mapping[str, str | None], known: Mapping[str, Sequence[str]] | None = None, **changes: str) -> Judged:
    return judge_for(rows, known, **changes).judge(chunk(rows))


def reasons(*rows: Mapping[str, str | None], **more: Any) -> list[tuple[str, str]]:
    return [(reason["field"], reason["code"]) for row in judged(*rows, **more).refused for reason in row.reasons]


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("no", "T001", "pattern"), ("no", None, "required"), ("name", "　", "required"), ("name", "店", "length"),
        ("code", "91350100M000100Y44", "code"), ("phone", "12345678901", "code"), ("kind", "c", "code_table"), ("kind", "old", "code_table"),
        ("area", "-1", "range"), ("area", "1.234", "type"), ("area", "宽", "type"), ("area", "1e3", "type"), ("staff", "1.5", "type"),
        ("staff", "0x1f", "type"), ("opened", "2023-02-29", "type"), ("opened", "1977-12-31", "range"), ("opened", "2020-01-01 08:00:00", "type"),
        ("open", "也许", "type"), ("where", "29.7,105.7", "outside"), ("where", "105.7", "outside"),
    ],
)  # fmt: skip
def test_a_rule_that_is_broken_is_the_reason(field: str, text: str | None, code: str) -> None:
    assert reasons(good(**{field: text})) == [(field, code)]


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("name", " 小店\t", "小店"), ("code", "91350100m000100y43", "91350100M000100Y43"), ("phone", "+86 138-0000-0000", "13800000000"),
        ("area", "1,234.5", Decimal("1234.50")), ("area", "", None), ("staff", "1,200", 1200), ("staff", "12.0", 12),
        ("opened", "2020年3月1日", date(2020, 3, 1)), ("opened", "20200301", date(2020, 3, 1)), ("opened", "2020/3/1", date(2020, 3, 1)),
        ("opened", "2020-03-01 00:00:00", date(2020, 3, 1)), ("open", "否", False), ("open", "不详", None),
    ],
)  # fmt: skip
def test_a_text_becomes_a_value(field: str, text: str, value: Any) -> None:
    assert judged(good(**{field: text})).accepted[field].to_pylist() == [value]


def test_a_row_is_refused_for_every_reason_at_once() -> None:
    found = judged(good(1), good(2, name=None, area="多", kind="x"), good(3))
    assert found.accepted["line"].to_pylist() == [2, 4]
    refused = found.refused[0]
    assert (refused.line, refused.raw, refused.key) == (3, "S002,,x,多,2020-01-01,是", ("S002",))
    assert [(r["field"], r["code"]) for r in refused.reasons] == [("name", "required"), ("kind", "code_table"), ("area", "type")]
    assert said(refused.reasons[2]) == "不是定点数：多"


def test_a_condition_between_fields_is_asked_where_both_stand() -> None:
    assert reasons(good(closed="2019-01-01")) == [("", "condition")]
    assert reasons(good(closed=None), good(2, closed="2020-01-01")) == []


def test_a_reference_must_be_found() -> None:
    assert reasons(good(1, street="1"), good(2, street="2"), known={"streets.code": ["1"]}) == [("street", "references")]


def test_each_chunk_is_judged_by_what_is_known_then() -> None:
    known = {"streets.code": ["1"]}
    rows = [good(1, street="1"), good(2, street="2"), good(3, street="2", area="x")]
    judge = judge_for(rows, known)
    first = judge.judge(chunk(rows))
    known["streets.code"] = ["2"]
    again = judge.judge(chunk([*rows, good(4, street="2")]))
    told = [[(row.line, reason["code"]) for row in found.refused for reason in row.reasons] for found in (first, again)]
    assert told == [[(3, "references"), (4, "type"), (4, "references")], [(2, "references"), (4, "type")]]


def test_a_point_is_moved_to_cgcs2000() -> None:
    found = judged(good(where="105.7215,29.7074")).accepted.to_pylist()[0]
    assert (round(found["where_longitude"], 4), round(found["where_latitude"], 4)) == (105.7179, 29.7101)


def test_a_row_that_a_reader_could_not_read_is_refused_with_its_text() -> None:
    row = good()
    found = judge_for([row]).judge(chunk([row], broken=[Broken(7, "S009,x,y,z", ("列数不对",))])).refused
    assert [(r.line, r.raw, r.reasons[0]["code"]) for r in found] == [(7, "S009,x,y,z", "broken")]


@pytest.mark.parametrize(
    ("policy", "lines", "repeated", "refused"), [("quarantine", [2, 4], 0, 1), ("first", [2, 4], 1, 0), ("last", [3, 4], 1, 0)]
)
def test_a_repeated_key_follows_the_policy(policy: str, lines: list[int], repeated: int, refused: int) -> None:
    found = judged(good(1), good(1, name="后来的"), good(2), duplicates=policy)
    assert (found.accepted["line"].to_pylist(), found.repeated, len(found.refused)) == (lines, repeated, refused)


def test_a_key_is_known_again_in_a_later_chunk_and_after_a_restart(tmp_path: Path) -> None:
    rows, part = [good(1), good(2)], tmp_path / "1.parquet"
    judge = judge_for(rows)
    first = judge.judge(chunk(rows))
    judge.remember(first)
    between = judge.judge(chunk([good(2), good(3)], first=4))  # judged before the part of the first is written
    pq.write_table(first.accepted, part)
    judge.written(part)
    assert between.accepted["line"].to_pylist() == [5]
    again = Judge(plain(), judge.resource, judge.columns, declared(), Nothing(), nowhere, [part])
    for each in (judge, again):
        found = each.judge(chunk([good(2), good(3)], first=4))
        assert found.accepted["line"].to_pylist() == [5]
        assert found.refused[0].reasons == [{"field": "no", "code": "key_repeated", "first": 3}]


def test_a_unique_field_stands_once() -> None:
    code = "91350100M000100Y43"
    assert reasons(good(1, code=code), good(2, code=code), good(3)) == [("code", "unique")]


def test_headings_are_found_by_title_whatever_stands_around_it() -> None:
    resource = declared().get(Resource, "shop")
    assert match(resource, ["*编 号", "名称：", "经度", "纬度"]) == {"no": "*编 号", "name": "名称：", "where": ["经度", "纬度"]}


@pytest.mark.parametrize("name", ["n", "broken", "faulty", "otherwise", "first", "place", "v", "cells", "typed", "standing"])
def test_a_field_may_be_called_what_a_column_of_the_judge_might_be(name: str) -> None:
    yaml = f"title: 例\nkey: [{name}]\nsharing: unconditional\nfields:\n  {name}: {{title: 数, type: integer, range: [0, 9]}}\n  other: {{title: 另, unique: true}}\n"
    declarations = load_folders([Owner("sample", "application", Path("sample"), {"resources/made.yaml": yaml})]).partial
    resource = declarations.get(Resource, "made")
    judge = Judge(plain(), resource, {name: name, "other": "other"}, declarations, Nothing(), nowhere, keep_keys=True)
    judged = judge.judge(
        chunk(
            [
                {name: "1", "other": "a"},
                {name: "01", "other": "b"},
                {name: "10", "other": "c"},
                {name: "2", "other": "a"},
                {name: "3", "other": "d"},
            ]
        )
    )
    assert judged.accepted[name].to_pylist() == [1, 3]
    assert [[reason["code"] for reason in row.reasons] for row in judged.refused] == [["key_repeated"], ["range"], ["unique"]]
