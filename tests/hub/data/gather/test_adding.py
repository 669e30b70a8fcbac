"""A part whose rows are all new becomes a file of the lake without being written again."""

from datetime import timedelta
from pathlib import Path

import pytest

from haitang.base.settings import settings
from haitang.hub.data.catalogue.tables import leaf
from haitang.hub.data.catalogue.tables import root as root_of
from haitang.hub.data.gather import adding, landing
from haitang.hub.data.gather.models import Part
from haitang.hub.data.lake import compact
from tests.hub.data.gather.conftest import Bench

HEAD = "编号,名称,面积,类别,开业日期\n"


def text(first: int, rows: int) -> str:
    return HEAD + "".join(f"S{n:04},小店{n},{n}.5,a,2020-01-01\n" for n in range(first, first + rows))


@pytest.fixture(autouse=True)
def every_part_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "FEW", 0)


def files(bench: Bench) -> list[Path]:
    return sorted((Path(settings().lake_path) / "main/resource_shop").rglob("*.parquet"))


def roots_hold(bench: Bench) -> bool:
    """Each block's root can be made again from the rows that the lake gives."""
    for block, root, columns in bench.lake.execute(
        "select b.id, b.root, g.columns from lake.blocks as b join lake.gathered as g on g.block = b.id"
    ).fetchall():
        leaves = bench.lake.execute(f"select {leaf(columns)} from lake.resource_shop where block = {block} order by block_index").fetchall()
        if root_of([bytes.fromhex(each) for (each,) in leaves]) != root:
            return False
    return True


def test_new_rows_are_added_as_the_file_that_was_staged(bench: Bench) -> None:
    run = bench.gather(text(0, 20))
    assert [file.parent.name for file in files(bench)] == ["block=1"]
    assert bench.rows("count(*), min(block), max(block_index), min(run), min(line), max(release)") == [
        (20, 1, 19, str(run.pk), 2, run.release)
    ]
    assert bench.lake.execute("select count(*) from lake.resource_shop where gathered_at is null").fetchone()[0] == 0
    assert roots_hold(bench)


def test_a_part_with_known_rows_is_merged_into_what_was_added(bench: Bench) -> None:
    bench.gather(text(0, 20))
    run = bench.gather(text(10, 20).replace("小店15,", "小店改,"))
    assert (run.inserted, run.updated, run.unchanged) == (10, 1, 9)
    assert bench.rows("count(*), count(distinct no)") == [(30, 30)]


def test_compaction_keeps_rows_with_their_block_and_leaves_no_folder(bench: Bench) -> None:
    for first in (0, 20, 40):
        bench.gather(text(first, 20))
    compact.tidy(bench.lake, keep=timedelta(0))
    compact.tidy(bench.lake, keep=timedelta(0))
    assert bench.rows("block, count(*)", "resource_shop group by block") == [(1, 20), (2, 20), (3, 20)]
    assert [file.parent.name for file in files(bench)] == ["resource_shop"]
    assert not list((Path(settings().lake_path) / "main/resource_shop").glob("block=*"))
    assert roots_hold(bench)


def test_a_file_linked_by_a_transaction_that_was_lost_is_replaced(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    run = bench.start(text(0, 20))
    with monkeypatch.context() as broken:
        broken.setattr(landing, "_note", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bench.work()
    assert Part.objects.get(run=run).landed is False
    bench.work()
    assert bench.rows("count(*), count(distinct no)") == [(20, 20)]


def test_a_field_that_changed_its_type_is_inserted_in_the_type_of_the_table(bench: Bench) -> None:
    bench.gather(text(0, 20))
    bench.lake.execute("alter table lake.resource_shop alter column area type double")
    bench.gather(text(20, 20))
    assert bench.rows("count(*), max(area)") == [(40, 39.5)]
    assert len(list((Path(settings().lake_path) / "main/resource_shop").glob("block=*"))) == 1
