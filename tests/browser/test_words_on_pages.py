"""What pages say: figures that lead to what they count, words instead of code, and a way on where there is nothing."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SignIn

HAN = re.compile("[一-鿿]")


def test_a_figure_of_the_evaluation_leads_to_as_many_cases(sign_in: SignIn) -> None:
    page = sign_in("dispatcher")
    page.goto("/evaluation?period=year&by=source")
    rows = page.locator("table.data-table tbody tr")
    expect(rows.first).to_be_visible()
    number = rows.first.locator("td.num a").first
    told, link = number.inner_text(), number.get_attribute("href")
    page.goto(str(link))
    expect(page.locator(".table-foot")).to_contain_text(f"共 {told} 条")
    expect(page.locator("#f-figure")).to_contain_text("受理数")


def test_a_report_is_accepted_then_filed(sign_in: SignIn) -> None:
    officer, dispatcher = sign_in("duty_officer"), sign_in("dispatcher")
    officer.goto("/cases/new?kind=air_exceedance")
    officer.select_option("#source", "hotline")
    officer.fill("#title", "市民来电反映异味")
    officer.fill("#description", "测试")
    officer.click("main form[method=post] button.btn-primary")
    expect(officer.locator(".message")).to_contain_text("待决定是否立案")
    dispatcher.goto(officer.url)
    dispatcher.click("form[action$='/do/file'] button[type=submit]")
    expect(dispatcher.locator(".stages [aria-current=step]")).to_have_text("待派遣")
    expect(dispatcher.locator(".stages li").first).to_have_text("待立案")


def test_durations_read_in_chinese_and_the_written_form_stands_below(sign_in: SignIn) -> None:
    page = sign_in("duty_officer")
    page.goto("/declarations?kind=procedure")
    cell = page.locator("tr", has=page.locator("code", has_text="stages.dispatched.within")).locator("td").nth(1)
    expect(cell).to_contain_text("4 个工作小时")
    expect(cell.locator("code")).to_have_text("4 working hours")


@pytest.mark.parametrize(("language", "word"), [("zh-hans", "系统 · 规则引擎"), ("en", "System · Rule engine")])
def test_the_ledger_names_processes_and_actions_by_their_titles(sign_in: SignIn, language: str, word: str) -> None:
    page = sign_in("auditor", language=language)
    page.goto("/evidence?kind=alarm")
    expect(page.locator("table.data-table")).to_contain_text(word)
    assert "alarm.raise" not in page.locator("table.data-table").inner_text()


def test_the_inbox_is_a_list_on_a_phone(sign_in: SignIn) -> None:
    page = sign_in("dispatcher", width=390, height=844)
    page.goto("/inbox")
    first = page.locator(".data-table.cards tbody tr").first.bounding_box()
    told = page.locator(".data-table.cards tbody tr td").first.bounding_box()
    assert first is not None
    assert told is not None
    assert told["width"] > 0.85 * first["width"]


@pytest.mark.parametrize("role", [None, "dispatcher"])
def test_an_address_that_leads_nowhere_says_so_under_the_brand_of_the_place(sign_in: SignIn, role: str | None) -> None:
    page = sign_in(role)
    answer = page.goto("/no/such/page")
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("h1")).to_have_text("没有找到这个页面")
    expect(page.locator(".brand")).to_contain_text("大足")
