"""Sign-in and the import of staff say nothing of persons in any log, even before anything is redacted."""

import logging
from io import BytesIO

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from haitang.support.security.people.joining.models import StaffImport
from tests.support.security.people.proved import made

pytestmark = pytest.mark.django_db
MOBILE, EMAIL, NAME, ID, PASSWORD = "13900000017", "wang.li@example.org", "王丽测试", "11010519491231002X", "river-stone-42"
PERSONAL = (MOBILE, EMAIL, NAME, ID, PASSWORD)


def roster(*rows: list[str]) -> SimpleUploadedFile:
    out = BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    for n, row in enumerate((["工号", "姓名", "用户名", "手机", "邮箱"], *rows)):
        sheet.write_row(n, 0, row)
    book.close()
    return SimpleUploadedFile("名册.xlsx", out.getvalue())


def test_nothing_of_a_person_is_logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("django.db.backends").setLevel(logging.INFO)  # SQL with its values is said only where somebody asks for it
    stranger, admin = Client(raise_request_exception=False), Client()
    for name in (ID, MOBILE, EMAIL, NAME):
        stranger.post("/sign-in", {"username": name, "password": PASSWORD})
        stranger.post("/api/session", {"username": name, "password": PASSWORD}, content_type="application/json")
    admin.force_login(made("admin", "administrator"))
    admin.post("/people/import", {"file": roster(["001", NAME, "wangli", MOBILE, EMAIL], ["002", ID, "x", "no mobile", "no mail"])})
    found = StaffImport.objects.get()
    admin.get(f"/people/import/{found.pk}")
    admin.post(f"/people/import/{found.pk}")
    admin.get(f"/people?q={MOBILE}")
    out, error = capfd.readouterr()
    said = caplog.text + out + error
    assert {value for value in PERSONAL if value in said} == set()
