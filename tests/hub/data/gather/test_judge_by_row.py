"""Judging whole columns comes to exactly what judging row by row in plain Python comes to: which rows, which reasons, which leaf."""

import re
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from haitang.hub.data.catalogue.tables import leaf
from haitang.hub.data.gather.judge import values as values_module
from haitang.hub.data.gather.judge.judge import Judge, Judged
from haitang.hub.data.gather.readers.types import Chunk
from haitang.support.standards.codes import CODES, social_credit
from tests.hub.data.gather.sample import chunk
from tests.hub.data.gather.test_judge import judge_for

USCC = "91990101000000001" + social_credit.check_of("91990101000000001")
CELLS: dict[str, list[str | None]] = {
    "no": ["S{n:03}", " S{n:03} ", "s{n:03}", "S{n:03}x", None],
    "name": ["小店", "店", "x" * 20, "x" * 21, "", None],
    "code": [USCC, USCC.lower(), USCC[:-1] + "I", USCC[:-1] + ("0" if USCC[-1] != "0" else "1"), "9", None],
    "phone": ["15400001234", "1540000123", "25400001234", None],
    "kind": ["a", "b", "old", "c", None],
    "area": ["12.5", "12.50", "12.500", "12.345", "0", "5000", "5000.01", "-1", "1,234.5", "1e3", "1_0", "十", "+3", None],
    "opened": ["2020-02-29", "2021-3-1", "2021-02-29", "20210301", "1970-01-01", "2021年3月1日", None],
    "staff": ["3", "0", "3.0", "3.5", "1,000", "1e2", "x", None],
}
NUMBER = re.compile(r"[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)([.][0-9]+)?")
Row = dict[str, str | None]


def rows() -> st.SearchStrategy[list[Row]]:
    row = st.fixed_dictionaries(
        {name: st.one_of(st.just(cells[0]), st.sampled_from(cells)) for name, cells in CELLS.items() if name != "code"}
    )
    coded = st.tuples(row, st.sampled_from([None, None, *CELLS["code"][2:5]])).map(lambda both: {**both[0], "code": both[1]})
    return st.lists(coded, min_size=1, max_size=40).map(
        lambda found: [
            {name: text.format(n=n + 1) if text and name == "no" else text for name, text in each.items()} for n, each in enumerate(found)
        ]
    )


def faults(row: Row) -> set[tuple[str, str]]:
    """The reference: one row, plain Python."""
    told = {name: (text or "").strip() or None for name, text in row.items()}
    found: set[tuple[str, str]] = set()
    if told["no"] is None:
        found.add(("no", "required"))
    elif not re.fullmatch("S[0-9]{3,9}", told["no"]):
        found.add(("no", "pattern"))
    if told["name"] is None:
        found.add(("name", "required"))
    elif not 2 <= len(told["name"]) <= 20:
        found.add(("name", "length"))
    for name, type in (("code", "uscc"), ("phone", "mobile")):
        text = told[name]
        if text and CODES[type].fault(CODES[type].normal(text)):
            found.add((name, "code"))
    if told["kind"] and told["kind"] not in ("a", "b"):
        found.add(("kind", "code_table"))
    area = told["area"]
    if area:
        if not NUMBER.fullmatch(area) or len(area.partition(".")[2].rstrip("0")) > 2:
            found.add(("area", "type"))
        elif not 0 <= Decimal(area.replace(",", "")) <= 5000:
            found.add(("area", "range"))
    if told["opened"] == "2021-02-29":
        found.add(("opened", "type"))
    elif told["opened"] == "1970-01-01":
        found.add(("opened", "range"))
    staff = told["staff"]
    if staff and (not NUMBER.fullmatch(staff) or Decimal(staff.replace(",", "")) % 1):
        found.add(("staff", "type"))
    return found


JUDGES: list[Judge] = []


def judge() -> Judge:
    """One for all examples, since making one takes longer than judging; it remembers nothing of what it judged."""
    if not JUDGES:
        JUDGES.append(judge_for([dict.fromkeys(CELLS)]))
    return JUDGES[0]


@settings(deadline=None)  # the machine may be shared
@given(rows())
def test_columns_are_judged_as_rows_are(given: list[Row]) -> None:
    rows = chunk([{name: row[name] for name in CELLS} for row in given])
    judged = judge().judge(rows)
    assert_alike(judged, by_itself(rows))
    expected = {line: faults(row) for line, row in enumerate(given, 2)}
    assert judged.accepted["line"].to_pylist() == [line for line, reasons in expected.items() if not reasons]
    told = {row.line: {(reason["field"], reason["code"]) for reason in row.reasons} for row in judged.refused}
    assert {
        line: {each for each in reasons if not (each == ("area", "range") and ("area", "type") in reasons)}
        for line, reasons in told.items()
    } == {line: reasons for line, reasons in expected.items() if reasons}
    assert len(given) == judged.accepted.num_rows + len(judged.refused)
    assert [bytes(each).hex() for each in judged.leaves] == by_sql(judged.accepted)


def by_itself(rows: Chunk) -> Judged:
    """With every value as it stands where it can be, whatever the other rows are like."""
    with patch.object(values_module, "MOST_ODD", 1):
        return judge().judge(rows)


def assert_alike(one: Judged, other: Judged) -> None:
    assert one.accepted.equals(other.accepted)
    assert one.refused == other.refused
    assert one.texts.equals(other.texts)
    assert {name: each.tolist() for name, each in one.hashes.items()} == {name: each.tolist() for name, each in other.hashes.items()}


def by_sql(accepted: Any) -> list[str]:
    """The leaves as the writer makes them of stored rows."""
    connection = judge().connection
    connection.register("rows_of_test", accepted)
    columns = [name for name in accepted.column_names if name != "line"]
    return [row[0] for row in connection.execute(f"select {leaf(columns)} from rows_of_test order by line").fetchall()]
