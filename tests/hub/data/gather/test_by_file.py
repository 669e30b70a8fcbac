"""Quarantined rows that go out as a file and come back corrected: each judged again, accepted once, however often the file comes."""

import csv
import io
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from haitang.base.errors import HaitangError
from haitang.hub.business.cases.models import Case
from haitang.hub.data.gather import by_file
from haitang.hub.data.gather.models import Run
from haitang.server.mending import mend
from haitang.support.security.evidence.models import EvidenceRecord
from tests.hub.data.gather.conftest import Bench
from tests.hub.data.gather.test_quarantine import client
from tests.hub.data.gather.test_run import DIRTY, HEAD

FORMULA = HEAD + "S001,=1+1,-5,a,2020-01-01\nS002,'@小店,-6,a,2020-01-01\nS003,小店三,-7,a,2020-01-01\n"


@pytest.fixture
def handler(bench: Bench) -> Client:
    return client("handler")


def downloaded(client: Client, run: Run) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(f"/gather/runs/{run.pk}/rows.csv").content.decode("utf-8-sig"))))


def written(rows: list[dict[str, str]], encoding: str = "gb18030") -> SimpleUploadedFile:
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return SimpleUploadedFile("改好.csv", out.getvalue().encode(encoding))


def test_the_file_says_line_column_and_every_reason_and_no_cell_is_a_formula(bench: Bench, handler: Client) -> None:
    run = bench.gather(FORMULA)
    rows = downloaded(handler, run)
    assert [row["行"] for row in rows] == ["2", "3", "4"]
    assert "面积 超出范围" in rows[0]["理由"]
    assert [row["名称"] for row in rows[:2]] == ["'=1+1", "''@小店"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert EvidenceRecord.objects.filter(action="evidence.access").exists()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_goes_out_comes_back_as_it_was(bench: Bench, handler: Client, tmp_path: Path, kind: str) -> None:
    run = bench.gather(FORMULA)
    file = tmp_path / f"out.{kind}"
    file.write_bytes(handler.get(f"/gather/runs/{run.pk}/rows.{kind}").content)
    back = dict(by_file.given(run, file))
    assert back == {row.pk: {name: row.cells[name] for name in by_file.headings(run)} for row in run.held.all()}


def test_corrected_rows_are_in_once_the_others_stay_with_new_reasons_and_the_order_closes_when_all_are(
    bench: Bench, handler: Client
) -> None:
    run = bench.gather(HEAD + "".join(f"S00{n},小店{n},-{n},a,2020-01-01\n" for n in (1, 2, 3)))
    rows = downloaded(handler, run)
    rows[0]["面积"], rows[1]["面积"], rows[1]["类别"], rows[2]["面积"] = "10", "20", "无此类", "30"
    for _ in range(2):  # the same file twice
        handler.post(f"/gather/runs/{run.pk}/mend-file", {"file": written(rows)})
    bench.work()
    assert bench.rows("no, area::integer") == [("S001", 10), ("S003", 30)]
    assert list(run.held.order_by("line").values_list("state", flat=True)) == ["accepted", "open", "accepted"]
    assert run.held.get(line=3).reasons[0]["code"] == "code_table"
    assert Run.objects.filter(root=run).count() == 1
    assert Case.objects.get().stage != "closed"
    left = downloaded(handler, run)
    assert [(row["行"], row["类别"]) for row in left] == [("3", "无此类")]
    left[0]["类别"] = "b"
    handler.post(f"/gather/runs/{run.pk}/mend-file", {"file": written(left)})
    bench.work()
    assert [no for no, *_ in bench.rows()] == ["S001", "S002", "S003"]
    assert Case.objects.get().stage == "closed"


def test_a_row_that_could_not_be_cut_is_filled_in_and_taken(bench: Bench, handler: Client) -> None:
    run = bench.gather(DIRTY)
    rows = [row for row in downloaded(handler, run) if row["行"] == "5"]
    rows[0] |= {"编号": "S003", "名称": "小店三", "面积": "30", "类别": "b", "开业日期": "2021-01-01"}
    handler.post(f"/gather/runs/{run.pk}/mend-file", {"file": written(rows)})
    bench.work()
    assert "S003" in [no for no, *_ in bench.rows()]


def test_a_file_of_another_run_or_without_its_numbers_is_refused(bench: Bench, handler: Client, tmp_path: Path) -> None:
    run, other = bench.gather(DIRTY), bench.gather(HEAD + "S009,小店,-1,a,2020-01-01\n")
    for text in (HEAD + "S001,小店一,10,a,2020-01-01\n", written(downloaded(handler, other)).read().decode("gb18030")):
        (tmp_path / "file.csv").write_text(text, "utf-8")
        with pytest.raises(HaitangError):
            mend(str(run.pk), tmp_path / "file.csv")
    assert set(run.held.values_list("state", flat=True)) == {"open"}


def test_the_command_mends_too(bench: Bench, handler: Client, tmp_path: Path) -> None:
    run = bench.gather(HEAD + "S001,小店一,-1,a,2020-01-01\n")
    rows = downloaded(handler, run)
    rows[0]["面积"] = "1"
    (tmp_path / "改好.csv").write_bytes(written(rows).read())
    done = mend(str(run.pk), tmp_path / "改好.csv")
    assert (done.passed, done.refused, done.settled, done.unknown) == (1, 0, 0, 0)
    assert mend(str(run.pk), tmp_path / "改好.csv").settled == 1
    bench.work()
    assert [no for no, *_ in bench.rows()] == ["S001"]


def test_another_organization_gets_no_file_and_brings_none(bench: Bench) -> None:
    run = bench.gather(DIRTY)
    other = client("handler", None)
    assert other.get(f"/gather/runs/{run.pk}/rows.csv").status_code == 403
    assert other.post(f"/gather/runs/{run.pk}/mend-file").status_code == 403
