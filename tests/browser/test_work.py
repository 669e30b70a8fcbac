"""What people do on the pages: a case from dispatch to closing, each step by another person, the phone included."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import SignIn
from tests.browser.district import PNG


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    made = tmp_path / "site.png"
    made.write_bytes(PNG)
    return made


def _open_case(page: Page, title: str) -> str:
    page.goto("/cases/new")
    page.select_option("#kind", "air_exceedance")
    page.fill("#title", title)
    page.fill("#description", "测试用案件")
    page.click("form[action=''] button, form[method=post] button.btn-primary")
    page.wait_for_url(re.compile(r"/cases/\d{6}-"))
    return page.url.rpartition("/")[2]


def _wait_for(page: Page, true: str) -> None:
    """Not by `wait_for_function`, which evaluates text in the page: its policy forbids that."""
    while not page.evaluate(true):
        page.wait_for_timeout(50)


def test_a_case_goes_from_dispatch_to_closing(sign_in: SignIn, photo: Path) -> None:
    dispatcher = sign_in("dispatcher")
    number = _open_case(dispatcher, "浏览器测试：裸土未覆盖")
    dispatcher.select_option("#dispatchorganization", index=1)
    dispatcher.select_option("#dispatchorganization", label="区生态环境局")
    dispatcher.click("form[action$='/do/dispatch'] button")
    expect(dispatcher.locator(".stages [aria-current]")).to_have_text("待处置")

    handler = sign_in("handler", width=390, height=844)
    handler.goto(f"/m/tasks/{number}")
    handler.fill("#handlenote", "已覆盖防尘网")
    handler.set_input_files("#handlephoto", photo)
    handler.click("form[action$='/do/handle'] button")
    handler.wait_for_url(re.compile("/m/tasks$"))
    expect(handler.locator(".message.success")).to_be_visible()
    _wait_for(handler, "Object.keys(localStorage).length == 0")  # what has arrived is not kept on the phone

    verifier = sign_in("verifier")
    verifier.goto(f"/cases/{number}")
    expect(verifier.locator(".photos img")).to_have_count(1)
    verifier.click("form[action$='/do/accept'] button")
    expect(verifier.locator(".stages [aria-current]")).to_have_text("已结案")
    expect(verifier.locator(".timeline > li")).to_have_count(4)


def test_a_wrong_answer_keeps_what_was_typed_and_the_photo(sign_in: SignIn, photo: Path) -> None:
    handler = sign_in("handler")
    handler.goto("/cases?mine=1")
    handler.click(".data-table tbody tr td a >> nth=0")
    handler.locator("details:has(form[action$='/do/handle'])").evaluate("each => each.open = true")
    handler.set_input_files("#handlephoto", photo)
    handler.click("form[action$='/do/handle'] button")
    expect(handler.locator(".summary-wrong")).to_contain_text("请填写")
    expect(handler.locator("input[name=kept]")).to_have_count(1)


def test_a_move_that_i_may_not_make_says_why(sign_in: SignIn) -> None:
    handler = sign_in("handler")
    handler.goto("/cases?stage=handled")
    handler.click(".data-table tbody tr td a >> nth=0")
    expect(handler.locator(".may-not").first).to_contain_text("需要角色")


def test_what_was_typed_without_a_network_comes_back(sign_in: SignIn) -> None:
    handler = sign_in("handler", width=390, height=844)
    handler.goto("/m/tasks")
    handler.click(".task >> nth=0")
    handler.fill("#handlenote", "山上没有信号")
    _wait_for(handler, "Object.values(localStorage).some(each => each.includes('山上没有信号'))")  # the program that keeps it has come
    handler.context.set_offline(True)
    handler.click("form[action$='/do/handle'] button")
    expect(handler.locator(".offline")).to_contain_text("没有网络")
    handler.context.set_offline(False)
    handler.reload()
    expect(handler.locator("#handlenote")).to_have_value("山上没有信号")


def test_what_was_typed_before_the_program_of_the_page_came_is_kept_too(sign_in: SignIn) -> None:
    handler = sign_in("handler", width=390, height=844)
    held: list[Route] = []
    handler.route(re.compile(r"/draft\.\w+\.js"), lambda script: held.append(script))
    handler.goto("/m/tasks")
    handler.click(".task >> nth=0")
    handler.fill("#handlenote", "网络很慢")
    while not held:
        handler.wait_for_timeout(50)
    held[0].continue_()
    handler.unroute_all()
    _wait_for(handler, "Object.values(localStorage).some(each => each.includes('网络很慢'))")
    handler.reload()
    expect(handler.locator("#handlenote")).to_have_value("网络很慢")


def test_a_filter_stands_in_the_address_and_the_table_is_exported(sign_in: SignIn) -> None:
    dispatcher = sign_in("dispatcher")
    dispatcher.goto("/cases")
    dispatcher.select_option("#f-severity", "critical")
    dispatcher.wait_for_url(re.compile("severity=critical"))
    assert "organization=" not in dispatcher.url
    export = dispatcher.locator("a.tool", has_text="导出 CSV")
    expect(export).to_have_attribute("href", re.compile("severity=critical"))
    with dispatcher.expect_download() as started:
        export.click()
    rows = Path(started.value.path()).read_text("utf-8-sig").splitlines()
    assert rows[0].startswith("编号,事项,级别")
    assert len(rows) == 2


def test_an_empty_table_says_what_to_do(sign_in: SignIn) -> None:
    dispatcher = sign_in("dispatcher")
    dispatcher.goto("/cases?q=没有这样的案件")
    expect(dispatcher.locator(".empty-state")).to_contain_text("没有符合条件的案件")
    expect(dispatcher.locator(".empty-state a")).to_have_attribute("href", "/cases")


def test_the_auditor_reads_the_ledger_and_gets_a_receipt(sign_in: SignIn) -> None:
    auditor = sign_in("auditor")
    auditor.goto("/evidence?kind=case&sort=at")
    auditor.locator("a[href^='/evidence/receipts/']").first.click()
    expect(auditor.locator(".qr[role=img] svg").first).to_be_visible()
    with auditor.expect_download() as started:
        auditor.click("text=下载凭据文件")
    assert Path(started.value.path()).stat().st_size > 200


def test_a_stranger_is_sent_to_sign_in_and_back(sign_in: SignIn) -> None:
    page = sign_in()
    page.goto("/cases?open=1")
    assert "/sign-in?next=/cases" in page.url


def test_a_handler_may_not_read_the_ledger(sign_in: SignIn) -> None:
    handler = sign_in("handler")
    answer = handler.goto("/evidence")
    assert answer is not None
    assert answer.status == 403
    expect(handler.locator("h1")).to_have_text("您没有权限查看这里")
