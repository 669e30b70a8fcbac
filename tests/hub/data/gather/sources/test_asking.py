"""Databases that are asked and folders that are watched: each change becomes a run, each trouble is noted on its source."""

import os
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from haitang.base import clock, settings
from haitang.base.actions import acting, system
from haitang.base.clock import CHINA
from haitang.base.declarations import put_in_force
from haitang.base.errors import HaitangError
from haitang.hub.data.gather.models import Run
from haitang.hub.data.gather.sources import actions
from haitang.hub.data.gather.sources.models import SourceState, TakenFile
from haitang.hub.data.gather.sources.pulling import pull
from haitang.hub.data.gather.sources.queries import source_of, standing, state_of
from haitang.hub.data.gather.sources.schedule import due_after, is_due
from haitang.hub.data.gather.sources.tasks import attempt, look_around
from haitang.hub.data.gather.sources.watching import DONE, look
from haitang.support.security.people.models import Person, RoleHolding
from haitang.support.standards.queries import calendar_in_force
from tests.hub.data.gather import sample
from tests.hub.data.gather.conftest import Bench, everything

START = datetime(2026, 11, 20, 9, 0, tzinfo=CHINA)  # a Friday
DATABASE = "title: 商户库\nresource: shop\ndatabase: {{url: 'sqlite:///source.db', query: 'select no, name, changed from shops'{cursor}}}\ncolumns: {{no: no, name: name}}\n"


@pytest.fixture
def watched(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A bench with a database by change, one whole, a folder; returns the folder."""
    for id, text in {
        "by_change": DATABASE.format(cursor=", cursor: changed"),
        "whole": DATABASE.format(cursor=""),
        "drop": "title: 报送目录\nresource: shop\nfolder: {path: drop, files: '*.*'}\n",
        "nightly": DATABASE.format(cursor="") + "at: ['02:00', '14:30']\ndays: working\n",
        "gone": "title: 不在\nresource: shop\nfolder: {path: nowhere}\n",
    }.items():
        monkeypatch.setitem(sample.FILES, f"sources/{id}.yaml", text)
    put_in_force(everything.__wrapped__())  # not the cached one: the sources came since
    before = settings.settings()
    data = before.data
    (data / "drop").mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(data / "source.db") as outside:
        outside.execute("drop table if exists shops")
        outside.execute("create table shops (no text, name text, changed integer)")
        outside.executemany("insert into shops values (?, ?, ?)", [("S001", "甲店", 1), ("S002", "乙店", 2)])
    with clock.frozen(START):
        yield data / "drop"
    for file in [*(data / "drop").rglob("*")]:
        if file.is_file():
            file.unlink()


def write(folder: Path, statement: str) -> None:
    with sqlite3.connect(folder.parent / "source.db") as outside:
        outside.execute(statement)


def test_a_pull_becomes_a_run_and_the_next_one_goes_on(bench: Bench, watched: Path) -> None:
    run = Run.objects.get(pk=pull(source_of("by_change")))
    assert (run.source, run.load) == ("by_change", "update")
    bench.work()
    assert [row[:2] for row in bench.rows("no, name")] == [("S001", "甲店"), ("S002", "乙店")]
    write(watched, "update shops set name = '新店', changed = 3 where no = 'S001'")
    again = Run.objects.get(pk=pull(source_of("by_change")))
    bench.work()
    again.refresh_from_db()
    assert (again.read, again.updated, again.unchanged) == (2, 1, 1)
    assert state_of("by_change").cursor == {"type": "int", "value": "3"}


def test_a_database_without_change_column_shows_what_is_gone(bench: Bench, watched: Path) -> None:
    pull(source_of("whole"))
    bench.work()
    write(watched, "delete from shops where no = 'S002'")
    run = Run.objects.get(pk=pull(source_of("whole")))
    bench.work()
    run.refresh_from_db()
    assert (run.load, run.removed) == ("full", 1)
    write(watched, "delete from shops")
    with pytest.raises(HaitangError, match="nothing_at_all"):
        pull(source_of("whole"))
    assert "一行也没有读到" in state_of("whole").error


def test_nothing_new_makes_no_run(bench: Bench, watched: Path) -> None:
    write(watched, "delete from shops")
    assert pull(source_of("by_change")) == ""
    assert Run.objects.count() == 0
    assert state_of("by_change").rows == 0


def test_a_source_that_fails_keeps_its_place_and_no_other_from_its_turn(bench: Bench, watched: Path) -> None:
    pull(source_of("by_change"))
    write(watched, "alter table shops rename to elsewhere")
    with clock.frozen(START + timedelta(hours=2)):
        look_around(0)
    state = state_of("by_change")
    assert "no such table" in state.error
    assert state.cursor == {"type": "int", "value": "2"}
    assert "nowhere" in state_of("gone").error
    assert standing(source_of("gone")).troubled


def test_a_paused_source_is_not_asked_unless_somebody_asks(bench: Bench, watched: Path) -> None:
    with acting(system("gather")) as act:
        actions.pause(act=act, source=source_of("by_change"), paused=True)
    attempt(source_of("by_change"))
    assert Run.objects.count() == 0
    attempt(source_of("by_change"), now=True)
    assert Run.objects.count() == 1


def test_a_password_is_sealed_and_its_evidence_holds_none(bench: Bench, watched: Path) -> None:
    with acting(system("gather")) as act:
        actions.set_password(act=act, source=source_of("by_change"), password="s3cret")
    kept = SourceState.objects.get(pk="by_change").password
    assert kept
    assert "s3cret" not in kept


def drop(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def looked(minutes: int) -> dict[str, str]:
    """Look `minutes` after the beginning; states by name."""
    with clock.frozen(START + timedelta(minutes=minutes)):
        look(source_of("drop"))
    return {file.name: str(file.state) for file in TakenFile.objects.filter(source="drop")}


def test_a_file_is_taken_once_it_stands_still_and_moved_away(bench: Bench, watched: Path) -> None:
    file = drop(watched, "商户.csv", "编号,名称\nS001,甲店\n".encode())
    assert looked(0) == {"商户.csv": "settling"}
    drop(watched, "商户.csv", "编号,名称\nS001,甲店\nS002,乙店\n".encode())
    assert looked(1) == {"商户.csv": "settling"}
    assert looked(2) == {"商户.csv": "taken"}
    assert not file.exists()
    assert [moved.name.endswith("商户.csv") for moved in (watched / DONE).iterdir()] == [True]
    bench.work()
    assert bench.rows("no") == [("S001",), ("S002",)]


def test_the_same_content_is_not_taken_twice(bench: Bench, watched: Path) -> None:
    for name, minute in (("一.csv", 0), ("二.csv", 10)):
        drop(watched, name, "编号,名称\nS001,甲店\n".encode())
        looked(minute)
        looked(minute + 1)
    assert {file.name: str(file.state) for file in TakenFile.objects.all()} == {"一.csv": "taken", "二.csv": "repeated"}
    assert Run.objects.count() == 1


def test_a_file_that_fails_stays_visible_until_it_changes(bench: Bench, watched: Path) -> None:
    file = drop(watched, "扫描件.pdf", b"%PDF-1.7 ...")
    drop(watched, "空.csv", b"")
    looked(0)
    assert looked(1) == {"扫描件.pdf": "failed", "空.csv": "failed"}
    assert file.exists()
    assert all(TakenFile.objects.values_list("error", flat=True))
    assert looked(5) == {"扫描件.pdf": "failed", "空.csv": "failed"}
    drop(watched, "空.csv", "编号,名称\nS001,甲店\n".encode())
    file.unlink()
    looked(6)
    assert looked(7) == {"空.csv": "taken"}


def test_a_folder_that_keeps_its_files_is_remembered(bench: Bench, watched: Path) -> None:
    (watched / DONE).rmdir() if (watched / DONE).is_dir() else None
    (watched / DONE).write_text("没有扩展名的文件不在 *.* 内")
    drop(watched, "一.csv", "编号,名称\nS001,甲店\n".encode())
    for minute in range(4):
        looked(minute)
    assert (watched / "一.csv").exists()
    assert Run.objects.count() == 1
    (watched / DONE).unlink()
    looked(9)
    assert not (watched / "一.csv").exists()


def test_unfinished_and_hidden_files_are_left_alone(bench: Bench, watched: Path) -> None:
    for name in ("a.csv.part", ".hidden.csv", "~$a.xlsx"):
        drop(watched, name, b"a,b\n1,2\n")
    os.symlink(watched / "a.csv.part", watched / "link.csv")
    assert looked(0) == {}
    (watched / "link.csv").unlink()


@pytest.mark.parametrize(
    ("last", "due"),
    [
        ("2026-11-20 09:00", "2026-11-20 14:30"),
        ("2026-11-20 15:00", "2026-11-23 02:00"),
        ("2026-10-01 03:00", "2026-10-08 02:00"),
        ("2026-10-09 23:00", "2026-10-10 02:00"),
    ],
)
def test_times_of_day_on_working_days(bench: Bench, watched: Path, last: str, due: str) -> None:
    at = [datetime.fromisoformat(text).replace(tzinfo=CHINA) for text in (last, due)]
    assert due_after(source_of("nightly"), at[0], calendar_in_force()) == at[1]


def test_a_span_is_counted_from_the_last_reading(bench: Bench, watched: Path) -> None:
    source, calendar = source_of("whole"), calendar_in_force()
    assert is_due(source, None, START, calendar)
    assert not is_due(source, START, START + timedelta(minutes=59), calendar)
    assert is_due(source, START, START + timedelta(hours=1), calendar)


def signed_in(role: str) -> Client:
    person = Person.objects.create(username=role, name=role, synthetic=True)
    RoleHolding.objects.create(person=person, role=role)
    client = Client()
    client.force_login(person)
    return client


def test_the_pages_say_where_a_source_stands(bench: Bench, watched: Path) -> None:
    client = signed_in("administrator")
    attempt(source_of("gone"))
    pull(source_of("by_change"))
    told = client.get("/gather/sources").content.decode()
    assert "商户库" in told
    assert "读取失败" in told
    assert "已读到 2" in client.get("/gather/sources/by_change").content.decode()
    assert client.post("/gather/sources/by_change/password", {"password": "s3cret"}).status_code == 302
    after = client.get("/gather/sources/by_change").content.decode()
    assert "已加密保存" in after
    assert "s3cret" not in after
    assert client.get("/gather/sources/nothing").status_code == 404


def test_a_connection_is_tested_on_the_page(bench: Bench, watched: Path) -> None:
    client = signed_in("administrator")
    told = client.post("/gather/sources/by_change/test").content.decode()
    assert "连接正常" in told
    assert "甲店" not in told  # levels are not known yet
    write(watched, "drop table shops")
    assert "no such table" in client.post("/gather/sources/by_change/test").content.decode()


def test_whoever_asks_leaves_evidence_and_a_job(bench: Bench, watched: Path) -> None:
    assert signed_in("administrator").post("/gather/sources/by_change/pull").status_code == 302
    with connection.cursor() as cursor:
        cursor.execute("select args->>'id' from procrastinate_jobs where task_name = 'gather.ask'")
        assert [row[0] for row in cursor.fetchall()] == ["by_change"]
    assert signed_in("handler").post("/gather/sources/by_change/pull").status_code == 403
