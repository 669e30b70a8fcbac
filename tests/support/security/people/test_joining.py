"""Invitations, requests for roles, and rosters of which everything is done or nothing."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from python_calamine import CalamineWorkbook

from haitang.base import clock
from haitang.base.actions import acting
from haitang.base.errors import HaitangError
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.joining.actions import ask_role, decide_role, invite
from haitang.support.security.people.joining.models import Invitation, RoleRequest, StaffImport
from haitang.support.security.people.models import Organization, Person
from tests.support.security.people.proved import made, proved, proved_client

pytestmark = pytest.mark.django_db
NEW = {"new": "river-stone-42", "again": "river-stone-42"}


@pytest.fixture
def admin() -> Client:
    return proved_client(made("admin", "administrator"))


def test_who_is_invited_sets_their_own_password_once(admin: Client) -> None:
    shown = admin.post("/people/new", {"username": "li", "name": "李四", "how": "invite"}).content.decode()
    path = re.search(r"/invitation/[\w-]+", shown)
    assert path
    guest = Client()
    assert guest.get(path[0]).headers["Referrer-Policy"] == "no-referrer"
    assert guest.post(path[0], {"new": "short", "again": "short"}).status_code == 400
    assert guest.post(path[0], NEW).headers["Location"] == "/"
    assert guest.get("/api/session").json()["username"] == "li"
    assert Client().post(path[0], NEW).status_code == 404
    assert path[0].rpartition("/")[2] not in str(list(Invitation.objects.values()))


def test_an_invitation_runs_out_and_a_new_one_replaces_it() -> None:
    li = made("li")
    with acting(proved(made("admin", "administrator"))) as act:
        first, second = invite(act=act, person=li), invite(act=act, person=li)
    assert Client().get(f"/invitation/{first}").status_code == 404
    with clock.frozen(clock.now() + timedelta(days=8)):
        assert Client().get(f"/invitation/{second}").status_code == 404
    assert Client().get(f"/invitation/{second}").status_code == 200


def test_the_system_administrator_asks_and_the_security_administrator_decides() -> None:
    admin, security, li = made("admin", "administrator"), made("security", "security_administrator"), made("li")
    with acting(proved(admin)) as act:
        asked = ask_role(act=act, person=li, role="dispatcher")
    with pytest.raises(HaitangError, match="not_allowed"), acting(proved(admin)) as act:
        decide_role(act=act, request=asked, approve=True)
    assert not li.holdings.exists()
    with acting(proved(security)) as act:
        decide_role(act=act, request=asked, approve=True)
    assert li.holdings.get().role == "dispatcher"
    with pytest.raises(HaitangError, match="request_decided"), acting(proved(security)) as act:
        decide_role(act=act, request=asked, approve=False)


def test_nobody_decides_a_request_for_themselves() -> None:
    security = made("security", "security_administrator", mobile="13900000004")
    with acting(proved(made("admin", "administrator"))) as act:
        asked = ask_role(act=act, person=made("second", mobile="13900000004"), role="dispatcher")
    with pytest.raises(HaitangError, match="own_request"), acting(proved(security)) as act:
        decide_role(act=act, request=asked, approve=True)


def workbook(
    *rows: list[object], heads: tuple[str, ...] = ("工号", "姓名", "用户名", "机构编号", "手机号", "电子邮件", "申请角色", "状态")
) -> SimpleUploadedFile:
    out = BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    for number, row in enumerate([list(heads), *rows]):
        sheet.write_row(number, 0, row)
    book.close()
    return SimpleUploadedFile("名册.xlsx", out.getvalue())


def uploaded(admin: Client, *rows: list[object]) -> str:
    return admin.post("/people/import", {"file": workbook(*rows)}).headers["Location"]


def test_the_template_reads_back_as_an_empty_roster(admin: Client) -> None:
    Organization.objects.create(id="ecology", title="生态环境局")
    content = admin.get("/people/import/template").content
    assert CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()[0][:2] == ["工号", "姓名"]
    at = admin.post("/people/import", {"file": SimpleUploadedFile("t.xlsx", content)}).headers["Location"]
    assert admin.get(at).context["lines"] == []


def test_each_error_stands_beside_its_cell_and_nothing_is_done(admin: Client) -> None:
    at = uploaded(
        admin,
        [1001, "赵一", "zhao1", "nowhere", "139", "no-at", "皇帝", ""],
        [1002, "钱二", "qian2"],
        [1002, "孙三", "sun3"],
        ["", "无号", "none"],
        [1009, "未知", "", "", "", "", "", "离任"],
        [1010, "李四", "不行", "", "", "", "", "休假"],
    )
    wrong = [sorted(line.errors) for line, _ in admin.get(at).context["lines"]]
    assert wrong == [
        ["email", "mobile", "organization", "roles"],
        ["staff_number"], ["staff_number"], ["staff_number"], ["staff_number"], ["state", "username"],
    ]  # fmt: skip
    assert admin.post(at).status_code == 409
    assert Person.objects.count() == 1


def test_a_roster_creates_updates_and_retires_by_staff_number(admin: Client) -> None:
    Organization.objects.create(id="ecology", title="生态环境局")
    li, wu = made("li", staff_number="1002", organization_id="ecology"), made("wu", "dispatcher", staff_number="1003")
    at = uploaded(
        admin,
        [1001, "赵一", "zhao1", "ecology", 13900000005, "zhao@example.org", "派遣员", "在职"],
        [1002, "李新", "", "ecology", "", "", "", ""],
        [1003, "", "", "", "", "", "", "离任"],
    )
    assert [line.does for line, _ in admin.get(at).context["lines"]] == ["create", "update", "leave"]
    done = admin.post(at)
    assert [person.username for person, _ in done.context["made"]] == ["zhao1"]
    zhao = Person.objects.get(staff_number="1001")
    assert (zhao.mobile, zhao.has_usable_password(), RoleRequest.objects.get().role) == ("13900000005", False, "dispatcher")
    li.refresh_from_db()
    wu.refresh_from_db()
    assert (li.name, wu.is_active, wu.holdings.count()) == ("李新", False, 0)
    record = EvidenceRecord.objects.filter(subject_kind="roster").latest("id")
    assert record.facts["create"] == record.facts["update"] == record.facts["leave"] == 1
    assert record.actor == StaffImport.objects.get().read_by
    assert admin.post(at).status_code == 409


def test_a_failure_in_the_middle_leaves_nothing(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    at = uploaded(admin, [1001, "赵一", "zhao1"], [1002, "钱二", "qian2"])
    made("qian2")  # taken between the preview and the confirmation
    assert admin.post(at).status_code == 409
    assert not Person.objects.filter(username="zhao1").exists()


@pytest.mark.parametrize("content", [b"", b"not a workbook", b"PK\x03\x04broken"])
def test_what_is_no_workbook_is_said_to_be_none(admin: Client, content: bytes) -> None:
    assert admin.post("/people/import", {"file": SimpleUploadedFile("x.xlsx", content)}).status_code == 400


def test_a_column_that_lacks_is_named(admin: Client) -> None:
    answer = admin.post("/people/import", {"file": workbook(["x"], heads=("工号",))})
    assert (answer.status_code, "姓名" in answer.context["problem"]) == (400, True)
