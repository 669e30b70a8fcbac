"""Every page stands: it answers, says what it is, loads its islands, and fits the screen."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import SignIn

PATHS = [
    "/",
    "/cases",
    "/cases/new",
    "/alarms",
    "/indicators",
    "/pages/air",
    "/things",
    "/inbox",
    "/evaluation",
    "/search?q=空气",
]
DESK = [*(("dispatcher", path) for path in PATHS), ("duty_officer", "/declarations")]


def _width(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.mark.parametrize(("role", "path"), DESK)
def test_a_desk_page_answers_and_fits_a_phone_too(sign_in: SignIn, role: str, path: str) -> None:
    page = sign_in(role, width=390, height=844)
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200
    assert page.locator("h1").first.is_visible()
    assert _width(page) <= 390


@pytest.mark.parametrize(("role", "path"), DESK)
def test_english_pages_hold_no_chinese_of_ours(sign_in: SignIn, role: str, path: str) -> None:
    page = sign_in(role, language="en")
    page.goto(path)
    heading = page.locator("h1").first.inner_text()
    menu = page.locator(".side").inner_text()
    assert not any("一" <= letter <= "鿿" for letter in heading.replace("空气", "") + menu.replace("大足", ""))


def test_the_first_page_weighs_less_than_300_kb_before_map_and_charts(sign_in: SignIn) -> None:
    page = sign_in("dispatcher")
    weighed: list[int] = []
    page.on(
        "response",
        lambda r: (
            weighed.append(len(r.body()))
            if "map." not in r.url and "chart." not in r.url and r.status == 200 and "/live" not in r.url
            else None
        ),
    )
    page.goto("/cases", wait_until="load")
    assert sum(weighed) < 300_000
