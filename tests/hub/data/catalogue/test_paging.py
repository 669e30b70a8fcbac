"""A page is found by where it lies, and is the page that sorting every row would give."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest

from haitang.hub.data.catalogue import paging
from haitang.hub.data.catalogue.kept import Kept
from haitang.hub.data.lake import compact
from haitang.hub.data.lake.versions import version
from tests.hub.data.fresh import fresh_lake

SHOWN = "no, kind"


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Any]:
    """Blocks of different length, with holes where rows were replaced, in files that do not follow the order."""
    with fresh_lake(tmp_path) as writer:
        writer.execute("create table lake.resource_many (no integer, kind varchar, day date, block bigint, block_index integer)")
        for block in (3, 1, 7, 2, 6):
            writer.execute(
                f"insert into lake.resource_many select {block} * 10000 + i, 'k' || (i % 7), date '2026-01-01' + (i % 5)::integer, {block}, i "
                f"from range({block * 170}) r(i) where {block} <> 6 or i % 3 = 0"
            )
        writer.execute("delete from lake.resource_many where no % 11 = 0")
        yield writer


def _rows(where: str = "true", *values: Any) -> paging.Rows:
    found = version("resource_many")
    assert found is not None
    return paging.Rows("resource_many", found.rows, where, values)


def _brute(lake: Any, rows: paging.Rows, order: str) -> list[dict[str, Any]]:
    found = lake.execute(f"select {SHOWN} from lake.resource_many where {rows.where} order by {order}", list(rows.values)).fetchall()
    return [dict(zip(("no", "kind"), row, strict=True)) for row in found]


WHERE: tuple[tuple[str, ...], ...] = (("true",), ("kind = ?", "k3"), ("kind = ? and no > 60000", "k3"), ("kind = ?", "no such"))
ORDERS = {
    "block, block_index": paging.Order(),
    "block desc, block_index": paging.Order(newest=True),
    "day desc, block, block_index": paging.Order("day desc"),
}


@pytest.mark.parametrize("far", [0, 1000, 10_000])
def test_every_page_is_that_of_all_rows_in_order(lake: Any, monkeypatch: pytest.MonkeyPatch, far: int) -> None:
    monkeypatch.setattr(paging, "FAR", far)
    monkeypatch.setattr(paging, "AHEAD", 150)
    chance = Random(far)
    for where, (sql, order) in product(WHERE, ORDERS.items()):
        rows = _rows(*where)
        expected = _brute(lake, rows, sql)
        assert paging.total(rows) == len(expected)
        for size in (37, 400):
            last = len(expected) // size
            for number in {0, last, last + 1, chance.randrange(1 + last)}:
                found = list(paging.page(rows, SHOWN, order, number * size, size).rows)
                assert found == expected[number * size : (number + 1) * size], (where, sql, size, number)


def test_a_page_is_kept_over_upkeep_and_ends_with_a_change(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = paging.page(_rows(), SHOWN, paging.Order(), 0, 100)
    lake.execute("insert into lake.blocks values (1, 'x', 1, '', 0, 0, now(), '', null)")
    compact.merge(lake)
    with monkeypatch.context() as without:
        without.setattr(paging, "_table", None)  # whoever reads now fails
        assert paging.page(_rows(), SHOWN, paging.Order(), 0, 100) is first
        assert list(paging.page(_rows(), SHOWN, paging.Order(), 100, 100).rows) == _brute(lake, _rows(), "block, block_index")[100:200]
    lake.execute("delete from lake.resource_many where no = 10002")
    assert 10002 in {row["no"] for row in first.rows}
    after = paging.page(_rows(), SHOWN, paging.Order(), 0, 100)
    assert 10002 not in {row["no"] for row in after.rows}


def test_the_first_block_is_remembered_though_its_rows_go(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "AHEAD", 100)
    for gone in ("false", "no between 10003 and 10010", "block = 1", "block = 2 and block_index < 50"):
        lake.execute(f"delete from lake.resource_many where {gone}")
        for offset in (0, 100, 200):
            expected = _brute(lake, _rows(), "block, block_index")[offset : offset + 100]
            assert list(paging.page(_rows(), SHOWN, paging.Order(), offset, 100).rows) == expected, (gone, offset)


def test_values_are_written_as_the_api_says_them(lake: Any) -> None:
    lake.execute(
        "create table lake.resource_typed as select timestamptz '2026-03-01 08:00:00.000001+08' as instant, date '2026-03-01' as day, "
        "1.50::decimal(18, 2) as fee, 2::double as size, 'nan'::double as odd, true as open, null::varchar as missing, '大' as text, 1 as block, 0 as block_index"
    )
    found = version("resource_typed")
    assert found is not None
    shown = "instant, day, fee, size, odd, open, missing, text"
    page = paging.page(paging.Rows("resource_typed", found.rows), shown, paging.Order(), 0, 10)
    expected = ["2026-03-01T00:00:00.000001Z", "2026-03-01", "1.50", 2.0, None, True, None, "大"]
    assert json.loads(page.encoded) == [dict(zip(shown.split(", "), expected, strict=True))]
    assert (page.rows[0]["instant"], page.rows[0]["fee"]) == (datetime(2026, 3, 1, 0, 0, 0, 1, UTC), Decimal("1.50"))


def test_who_asks_for_the_same_at_once_waits_for_it() -> None:
    kept, made, begun, go_on = Kept(10), list[int](), threading.Event(), threading.Event()

    def make() -> str:
        made.append(1)
        begun.set()
        go_on.wait(60)
        return "found"

    answers = list[str]()
    threads = [threading.Thread(target=lambda: answers.append(kept.get("key", make))) for _ in range(4)]
    threads[0].start()
    assert begun.wait(60)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert (answers, made) == (["found"] * 4, [1])


def test_what_cannot_be_made_is_tried_again_by_the_next() -> None:
    kept = Kept(10)
    with pytest.raises(ZeroDivisionError):
        kept.get("key", lambda: 1 // 0)
    assert kept.get("key", lambda: 2) == 2
