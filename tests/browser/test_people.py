"""What officers do about people on the pages: a role asked for and decided, somebody acting for one who is absent, a screen on a wall."""

import re
from datetime import timedelta

from playwright.sync_api import Page, expect

from haitang.base import clock
from tests.browser.conftest import SignIn


def _new_person(administrator: Page, username: str, name: str) -> str:
    """A new member of staff by page; returns their address."""
    administrator.goto("/people/new")
    administrator.fill("[name=username]", username)
    administrator.fill("[name=name]", name)
    administrator.select_option("[name=organization]", "ecology")
    administrator.check("[name=how][value=secret]")
    administrator.click("main form button.btn-primary")
    expect(administrator.locator("code").first).to_be_visible()
    return administrator.locator("form[action^='/people/'][action$='/change']").first.get_attribute("action").removesuffix("/change")  # type: ignore[union-attr]


def test_a_role_is_asked_for_by_one_officer_and_given_by_another(sign_in: SignIn) -> None:
    administrator = sign_in("administrator", alone=True)
    address = _new_person(administrator, "zhou.xin", "周新")
    administrator.goto(address)
    administrator.select_option("form:has([name=do][value=ask]) select", "verifier")
    administrator.click("form:has([name=do][value=ask]) button")
    expect(administrator.locator("main")).to_contain_text("待安全管理员审批")

    security = sign_in("security_administrator", alone=True)
    security.goto("/people/requests")
    security.locator("tr", has_text="周新").locator("button[value=approve]").click()
    expect(security.locator("tr", has_text="周新")).to_contain_text("已授予")
    security.goto(address)
    expect(security.locator("main")).to_contain_text("核查员")


def test_somebody_acts_for_one_who_is_absent_until_it_is_ended(sign_in: SignIn) -> None:
    now = clock.now().astimezone(clock.CHINA)
    security = sign_in("security_administrator", alone=True)
    security.goto("/people?q=department_head")
    security.click(".data-table tbody a[href^='/people/'] >> nth=0")
    security.fill("#g-taker", "handler")
    security.fill("#g-starts", f"{now - timedelta(minutes=1):%Y-%m-%dT%H:%M}")
    security.fill("#g-ends", f"{now + timedelta(hours=8):%Y-%m-%dT%H:%M}")
    security.fill("#g-reason", "住院")
    security.click("form[action$='/delegate'] button")
    expect(security.locator("#delegations")).to_contain_text("住院")

    taker = sign_in("handler", width=390, height=844, alone=True)
    assert taker.request.get("/api/session").json()["roles"] == ["handler"]
    taker.goto("/account/delegations")
    taker.click("form[action$='/act'] button.btn-primary")
    taker.wait_for_url(re.compile(r"/(inbox)?$"))
    told = taker.request.get("/api/session").json()
    assert (told["roles"], bool(told["on_behalf_of"])) == (["department_head"], True)
    taker.goto("/declarations")
    expect(taker.locator("h1")).to_have_text("声明与版本")  # which their own role does not open

    security.click("#delegations form[action*='/delegations/'] button")
    expect(security.locator("#delegations")).not_to_contain_text("住院")
    assert taker.request.get("/api/session").json()["roles"] == ["handler"]
    assert taker.request.get("/declarations").status == 403


def test_a_screen_shows_the_wall_live_and_goes_dark_when_revoked(sign_in: SignIn) -> None:
    security = sign_in("security_administrator", alone=True)
    security.goto("/walls")
    security.fill("#w-title", "指挥大厅主屏")
    security.click("form[action='/walls'] button.btn-primary")
    code = security.locator("code.wide").inner_text()

    screen = sign_in(width=1920, height=1080)
    screen.goto("/wall/open")
    screen.fill("#code", code)
    screen.click("form[action='/wall/open'] button")
    screen.wait_for_url(re.compile("/wall$"))
    expect(screen.locator(".live-state[data-state=open]")).to_be_visible()
    expect(screen.locator("a[href='/']", has_text="回到工作台")).to_have_count(0)
    screen.goto("/cases")
    screen.wait_for_url(re.compile("/sign-in"))

    security.goto("/walls")
    security.locator("tr", has_text="指挥大厅主屏").locator("button[value=revoke]").click()
    expect(security.locator("tr", has_text="指挥大厅主屏")).to_contain_text("已撤销")
    screen.goto("/wall")
    screen.wait_for_url(re.compile("/sign-in"))
