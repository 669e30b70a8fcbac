"""What people do with quarantined rows, by page; the catalogue and the upload as they see them."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from haitang.hub.business.cases.models import Case
from haitang.hub.data.gather.models import Held, Run, Understanding
from haitang.hub.data.gather.pages import headings_of
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.models import Person, RoleHolding
from tests.hub.data.gather.conftest import Bench
from tests.hub.data.gather.test_run import DIRTY, GOOD, HEAD


def client(role: str, organization: str | None = "market") -> Client:
    person = Person.objects.create(username=f"{role}-{organization}", name=role, synthetic=True, kind="staff", organization_id=organization)
    RoleHolding.objects.create(person=person, role=role)
    found = Client()
    found.force_login(person)
    return found


@pytest.fixture
def handler(bench: Bench) -> Client:
    return client("handler")


def cells(held: Held, **changes: str) -> dict[str, str]:
    given = {**held.cells, **changes}
    return {f"cell-{n}": given.get(heading, "") for n, (heading, _) in enumerate(headings_of(held))}


def test_a_row_that_is_mended_goes_into_the_lake_and_the_work_order_closes(bench: Bench, handler: Client) -> None:
    run = bench.gather(HEAD + "S001,小店一,-10,a,2020-01-01\n")
    held = run.held.get()
    wrong = handler.post(f"/gather/rows/{held.pk}", cells(held, 面积="-20"))
    assert wrong.status_code == 422
    assert 'value="-20"' in wrong.content.decode()
    handler.post(f"/gather/rows/{held.pk}", {**cells(held, 面积="10"), "resubmit": "1"})
    bench.work()
    held.refresh_from_db()
    assert (held.state, held.cells["面积"], held.mended and held.mended["面积"]) == ("accepted", "-10", "10")
    assert [no for no, *_ in bench.rows()] == ["S001"]
    assert Run.objects.get(pk=run.pk).settled_at is not None
    assert Case.objects.get().stage == "closed"


def test_a_row_that_is_refused_again_is_open_again(bench: Bench, handler: Client) -> None:
    bench.gather(GOOD.replace("类别", "统一社会信用代码").replace(",a,", ",91350100M000100Y43,").replace(",b,", ",,"))
    run = bench.gather(HEAD.replace("类别", "统一社会信用代码") + "S003,小店三,-1,,2020-01-01\nS004,小店四,-1,,2020-01-01\n")
    first, second = run.held.order_by("line")
    for held in (first, second):
        handler.post(f"/gather/rows/{held.pk}", cells(held, 面积="1", 编号="S009"))
    handler.post(f"/gather/runs/{run.pk}/resubmit")
    bench.work()
    assert [row.state for row in run.held.order_by("line")] == ["accepted", "open"]
    second.refresh_from_db()
    assert second.reasons[0]["code"] == "key_repeated"


def test_rows_are_dismissed_with_a_reason_only(bench: Bench, handler: Client) -> None:
    run = bench.gather(DIRTY)
    rows = [str(row.pk) for row in run.held.all()]
    handler.post(f"/gather/runs/{run.pk}/dismiss", {"row": rows, "reason": " "})
    assert run.held.filter(state="open").count() == 2
    handler.post(f"/gather/runs/{run.pk}/dismiss", {"row": rows, "reason": "无法核实"})
    bench.work()
    assert set(run.held.values_list("state", "note")) == {("dismissed", "无法核实")}
    assert Case.objects.get().stage == "closed"


def test_another_organization_neither_sees_nor_mends(bench: Bench) -> None:
    run = bench.gather(DIRTY)
    held = run.held.all()[0]
    other = client("handler", None)
    assert other.get(f"/gather/runs/{run.pk}").status_code == 403
    assert other.post(f"/gather/rows/{held.pk}", cells(held)).status_code == 403
    assert client("dispatcher", None).get(f"/gather/runs/{run.pk}").status_code == 200


def test_the_run_page_shows_raw_text_and_every_reason(bench: Bench, handler: Client) -> None:
    run = bench.gather(DIRTY)
    text = handler.get(f"/gather/runs/{run.pk}").content.decode()
    for shown in ("读取 3 = 接收 1 + 隔离 2", "S002,店,-5,x,2020-13-01", "长度应为 2 至 20 个字：店", "不是日期：2020-13-01", "合计行 1"):
        assert shown in text


def test_the_resource_page_masks_what_is_above_general_level(bench: Bench, handler: Client) -> None:
    bench.gather("编号,名称,电话\nS001,小店一,15400001234\n")
    text = handler.get("/resources/shop").content.decode()
    assert "154****1234" in text  # as the API masks it
    assert "15400001234" not in text
    assert "小店一" in text
    assert "商户" in handler.get("/resources?q=停业").content.decode()


def test_an_upload_is_previewed_then_gathered_and_its_columns_are_remembered(bench: Bench, handler: Client) -> None:
    file = SimpleUploadedFile("店.csv", "店铺号,名称\nS001,小店一\nS002,店\n".encode())
    assert "没有找到必填字段的列：编号" in handler.post("/gather/upload", {"resource": "shop", "file": file}).content.decode()
    kept = next((bench_folder()).iterdir()).name
    chosen = {"resource": "shop", "kept": kept, "name": "店.csv", "map-no": "店铺号", "map-name": "名称"}
    assert "其中 1 行可接收，1 行将隔离" in handler.post("/gather/upload", chosen).content.decode()
    handler.post("/gather/upload/start", chosen)
    bench.work()
    run = Run.objects.get()
    assert (run.state, run.accepted, run.quarantined, run.organization) == ("done", 1, 1, "market")
    assert Understanding.objects.get().columns["no"] == "店铺号"
    again = SimpleUploadedFile("店2.csv", "店铺号,名称\nS003,小店三\n".encode())
    assert "其中 1 行可接收" in handler.post("/gather/upload", {"resource": "shop", "file": again}).content.decode()


def bench_folder() -> Path:
    from haitang.hub.data.gather.incoming import folder

    return folder()


PHONE = "编号,名称,电话\nS001,小店一,1540000\nS002,小店二,\n"


@pytest.mark.parametrize(("address", "rows"), [("/gather/runs/{run}", 1), ("/gather/rows/{row}", 1), ("/api/gather/runs/{run}/rows", 1)])
def test_seeing_quarantined_rows_with_fields_above_general_level_is_evidence(
    bench: Bench, handler: Client, address: str, rows: int
) -> None:
    run = bench.gather(PHONE)
    assert handler.get(address.format(run=run.pk, row=run.held.get().pk)).status_code == 200
    record = EvidenceRecord.objects.get(action="evidence.access")
    facts = record.facts
    assert (record.subject_id, facts["rows"], facts["purpose"]) == ("shop", rows, f"case:{run.matter}")
    assert "phone" in facts["fields"]
    assert "area" not in facts["fields"]
    assert facts["subjects"]["count"] == 1
    assert "1540000" not in str(facts)


def test_seeing_a_run_without_quarantined_rows_is_no_access(bench: Bench, handler: Client) -> None:
    run = bench.gather(GOOD)
    assert handler.get(f"/gather/runs/{run.pk}").status_code == 200
    assert not EvidenceRecord.objects.filter(action="evidence.access").exists()
