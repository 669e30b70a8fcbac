"""A run from a file to the lake: counts that add up, versions that can be shown, quarantine, resumption."""

import json
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from haitang.base.actions import acting
from haitang.base.declarations import in_force, put_in_force
from haitang.base.declarations.actions import admit_release
from haitang.base.declarations.owners import Owner
from haitang.base.declarations.release import Source
from haitang.hub.business.cases.models import Case
from haitang.hub.data.catalogue.tables import leaf, root
from haitang.hub.data.gather import actions, landing, parts, process, readers
from haitang.hub.data.gather.gathering import Gathering, begin
from haitang.hub.data.gather.models import Part, Run
from tests.hub.data.gather.conftest import OPERATOR, Bench, everything

HEAD = "编号,名称,面积,类别,开业日期\n"
GOOD = HEAD + "S001,小店一,10,a,2020-01-01\nS002,小店二,20,b,2021-01-01\n"
DIRTY = HEAD + "S001,小店一,10,a,2020-01-01\n\nS002,店,-5,x,2020-13-01\nS003,小店三,30,b,2021-01-01,多一列\n合计,,40,,\n"


def test_good_rows_are_in_the_lake_with_their_leaf_in_a_block(bench: Bench) -> None:
    run = bench.gather(GOOD)
    assert (run.state, run.read, run.accepted, run.quarantined, run.inserted) == ("done", 2, 2, 0, 2)
    assert [(no, name, float(area)) for no, name, area in bench.rows()] == [("S001", "小店一", 10), ("S002", "小店二", 20)]
    columns = bench.lake.execute("select columns from lake.gathered").fetchone()[0]
    leaves = [bytes.fromhex(h) for (h,) in bench.rows(leaf(columns), order="block_index")]
    assert root(leaves) == bench.lake.execute("select root from lake.blocks").fetchone()[0]


def test_a_part_that_an_earlier_release_staged_lands_with_its_own_tree(bench: Bench) -> None:
    bench.start(GOOD)
    process.once(Event())
    Part.objects.update(arity=2, first_line=None, last_line=None)
    bench.work()
    bench.gather(GOOD.replace("S00", "S01"))
    assert bench.lake.execute("select arity, first_seq, last_seq from lake.blocks order by id").fetchall() == [(2, 2, 3), (32, 2, 3)]


def test_what_is_not_accepted_is_quarantined_with_raw_text_line_and_reasons(bench: Bench) -> None:
    run = bench.gather(DIRTY)
    assert (run.file_rows, run.read, run.accepted, run.quarantined) == (6, 3, 1, 2)
    assert run.left_out == {"header": 1, "blank": 1, "totals": 1}
    held = {row.line: row for row in run.held.all()}
    assert held[4].raw.strip() == "S002,店,-5,x,2020-13-01"
    assert {(r["field"], r["code"]) for r in held[4].reasons} == {
        ("name", "length"),
        ("area", "range"),
        ("kind", "code_table"),
        ("opened", "type"),
    }
    assert held[5].reasons[0]["code"] == "broken"
    assert run.faults["area"] == {"range": 1}


def test_what_is_quarantined_is_kept_as_it_came_whatever_stands_in_it(bench: Bench) -> None:
    names = ["店\\", "\\N", "\\.", "a\tb", "\\u0000x", '"', "店\r\n店", "\\\\t\x7f"]
    lines = [f'S{n:03},"{name.replace(chr(34), chr(34) * 2)}",-5,a,2020-01-01' for n, name in enumerate(names)]
    run = bench.gather(HEAD + "\n".join(lines) + "\n")
    held = list(run.held.order_by("line", "pk"))
    assert [row.cells["名称"] for row in held] == names
    assert [row.raw.rstrip("\n") for row in held] == lines


def test_quarantined_rows_become_a_work_order_of_the_department(bench: Bench) -> None:
    run = bench.gather(DIRTY)
    case = Case.objects.get()
    assert (case.organization_id, case.case_kind, str(case.pk)) == ("market", "quarantined_rows", run.matter)
    assert case.due_at is not None
    assert bench.gather(GOOD).matter == ""


def test_a_source_that_brings_the_same_bad_rows_again_makes_no_second_work_order(bench: Bench) -> None:
    for more in ("", "S009,店,1,a,2020-01-01\n"):
        Run.objects.filter(pk=bench.start(DIRTY + more).pk).update(source="books")
        bench.work()
    first, second = Run.objects.order_by("created_at")
    assert (first.quarantined, second.quarantined) == (2, 3)
    assert [row.line for row in second.held.filter(state="open")] == [7]
    assert Case.objects.count() == 2  # the second is of the new row alone
    Run.objects.filter(pk=bench.start(DIRTY).pk).update(source="books")
    bench.work()
    third = Run.objects.order_by("created_at").last()
    assert third is not None
    assert (third.matter, third.settled_at is not None, Case.objects.count()) == ("", True, 2)


def test_the_same_file_again_changes_nothing(bench: Bench) -> None:
    bench.gather(GOOD)
    run = bench.gather(GOOD)
    assert (run.accepted, run.inserted, run.unchanged, run.updated) == (2, 0, 2, 0)
    assert len(bench.rows()) == 2
    assert bench.lake.execute("select count(*) from lake.blocks").fetchone()[0] == 1


def test_a_changed_row_replaces_its_version_which_is_kept(bench: Bench) -> None:
    first = bench.gather(GOOD)
    run = bench.gather(GOOD.replace("小店二,20", "小店二号,25") + "S003,小店三,,a,\n")
    assert (run.inserted, run.updated, run.unchanged) == (1, 1, 1)
    assert [name for _, name, _ in bench.rows()] == ["小店一", "小店二号", "小店三"]
    assert bench.rows("name, run, block, block_index, ended_how, ended_block", "resource_shop_past") == [
        ("小店二", str(first.pk), 1, 1, "updated", 2)
    ]
    assert bench.rows("block, block_index", order="no") == [(1, 0), (2, 0), (2, 1)]


def test_a_full_load_marks_what_is_gone_as_removed(bench: Bench) -> None:
    bench.gather(GOOD + "S003,小店三,,a,\n")
    run = bench.gather(HEAD + "S001,小店一,10,a,2020-01-01\nS003,店,,a,\n", load="full")
    assert (run.removed, run.quarantined) == (1, 1)  # a quarantined row is not a removed one
    assert [no for no, *_ in bench.rows()] == ["S001", "S003"]
    assert bench.rows("no, ended_how", "resource_shop_past") == [("S002", "removed")]


@pytest.mark.parametrize("text", [HEAD, HEAD + "S001,小店一,10,a,2020-01-01\n,没有编号,10,a,\n"])
def test_a_full_load_that_cannot_know_what_is_gone_removes_nothing(bench: Bench, text: str) -> None:
    bench.gather(GOOD)
    run = bench.gather(text, load="full")
    assert (run.state, run.removed, len(bench.rows())) == ("done", 0, 2)
    assert run.notes


def test_a_file_without_a_required_column_fails_and_says_which(bench: Bench) -> None:
    run = bench.gather("编号,面积\nS001,1\n")
    assert run.state == "failed"
    assert "名称" in run.error
    assert run.read == 0


def test_a_run_goes_on_where_it_stopped(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers.delimited, "ROWS", 10)
    text = HEAD + "".join(f"S{n:04},小店{n},1,a,2020-01-01\n" for n in range(60))
    run = bench.start(text)
    begin(run)
    stopped = Event()
    stopped.set()
    assert not Gathering(run).go(stopped)  # one chunk, then stop
    assert 0 < run.read < 60
    bench.work()
    run.refresh_from_db()
    assert (run.state, run.read, run.inserted) == ("done", 60, 60)
    assert bench.rows("count(*), count(distinct no)") == [(60, 60)]


def test_parts_of_a_run_that_is_still_read_land_together(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers.delimited, "ROWS", 10)
    run = bench.start(HEAD + "".join(f"S{n:04},小店{n},1,a,2020-01-01\n" for n in range(60)))
    begin(run)
    stopped = Event()
    stopped.set()
    Gathering(run).go(stopped)  # one part, and more to come
    assert not landing.follow(bench.lake, 0)
    monkeypatch.setattr(landing, "LATEST", 0.0)
    assert landing.follow(bench.lake, 0)


def test_a_part_is_landed_once_whatever_is_lost_after_its_commit(bench: Bench) -> None:
    run = bench.start(GOOD)
    process.once(Event())
    landing.follow(bench.lake, 0)
    Part.objects.update(landed=False)  # as if the process had died between the two commits
    Run.objects.update(inserted=0)
    bench.work()
    run.refresh_from_db()
    assert (run.state, run.inserted) == ("done", 2)
    assert bench.rows("count(*)") == [(2,)]
    assert not parts.folder(run.pk).exists()


def test_each_look_lands_something_however_long_looking_takes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers.delimited, "ROWS", 10)
    monkeypatch.setattr(landing, "AT_ONCE", -1.0)  # it is over before the first part
    text = HEAD + "".join(f"S{n:04},小店{n},1,a,2020-01-01\n" for n in range(60))
    assert bench.gather(text).inserted == 60
    assert bench.gather(text).unchanged == 60  # parts that add no block are looked for again too


def test_personal_values_stay_out_of_the_evidence(bench: Bench) -> None:
    from haitang.support.security.evidence.models import EvidenceRecord

    bench.gather(DIRTY)
    told = json.dumps(list(EvidenceRecord.objects.values_list("facts", flat=True)), ensure_ascii=False, default=str)
    assert "小店" not in told
    assert "gather_run" in set(EvidenceRecord.objects.values_list("subject_kind", flat=True))


def test_a_run_is_judged_to_its_end_under_the_release_that_it_began_with(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers.delimited, "ROWS", 10)
    with acting(OPERATOR) as act:
        admit_release(act=act, owners=everything().owners)
    put_in_force(Source(look_every=0))
    run = bench.start(HEAD + "".join(f"S{n:04},小店{n},1,a,2020-01-01\n" for n in range(60)))
    begin(run)
    stopped = Event()
    stopped.set()
    assert not Gathering(run).go(stopped)
    began, read = in_force().digest, run.read
    with acting(OPERATOR) as act:  # from now on the areas are refused
        admit_release(act=act, owners=[_stricter(owner) for owner in everything().owners])
    bench.work()
    run.refresh_from_db()
    assert read < 60
    assert (run.release, run.read, run.accepted) == (began, 60, 60)
    assert set(bench.rows("release")) == {(began,)}
    after = bench.gather(HEAD + "S0100,小店,1,a,2020-01-01\n")
    assert (after.quarantined, after.release) == (1, in_force().digest)
    put_in_force(everything())


def _stricter(owner: Owner) -> Owner:
    files = {name: text.replace("range: [0, 5000]", "range: [100, 5000]") for name, text in owner.files.items()}
    return replace(owner, files=files)


def test_the_file_of_a_run_stays_until_its_end_is_committed(bench: Bench, django_capture_on_commit_callbacks: Any) -> None:
    run = bench.start(GOOD)
    with pytest.raises(RuntimeError):
        _cancel_and_break_off(run)
    assert Path(run.path).is_file()
    with django_capture_on_commit_callbacks(execute=True), acting(OPERATOR) as act:
        actions.cancel(act=act, run=run)
    assert not Path(run.path).exists()


def _cancel_and_break_off(run: Run) -> None:
    with acting(OPERATOR) as act:
        actions.cancel(act=act, run=run)
        raise RuntimeError("the transaction breaks off")
