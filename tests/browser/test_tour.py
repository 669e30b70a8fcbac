"""The guided tour of a demonstration, walked to its end as a visitor would."""

import re

import pytest
from playwright.sync_api import Page, Route, expect
from ruamel.yaml import YAML

from haitang.hub.business.pages.frame import TOUR
from tests.browser.conftest import SignIn, leaving

STEPS = YAML(typ="safe", pure=True).load(TOUR.read_text("utf-8"))
HAN = re.compile("[一-鿿]")


def _shows(page: Page, index: int, language: str) -> None:
    """The step stands on its page, as its persona, points at something, and speaks the reader's language."""
    step = STEPS[index]
    expect(page.locator(".tour")).to_contain_text(f"{index + 1} / {len(STEPS)}")
    address = re.escape(step["path"]).replace(r"\*", ".+") + r"(\?.*)?$"
    expect(page).to_have_url(re.compile(r"^http://[^/]+" + address))
    expect(page.locator(f"form[action='/personas/{step['persona']}'] [aria-pressed=true]")).to_have_count(1)
    expect(page.locator(".tour-mark")).to_be_visible()
    assert bool(HAN.search(page.locator(".tour").inner_text())) is (language != "en")


@pytest.mark.parametrize(("language", "width"), [("zh-hans", 1440), ("en", 390)])
def test_the_guided_tour_is_walked_to_its_end(sign_in: SignIn, language: str, width: int) -> None:
    page = sign_in("dispatcher", alone=True, language=language, width=width, height=844)
    page.goto("/cases/new")  # one waits to be dispatched, whatever other tests did
    page.select_option("#kind", "air_exceedance")
    page.fill("#title", "导览用的案件")
    page.fill("#description", "测试")
    with leaving(page):
        page.click("main form[method=post] button.btn-primary")
    page.goto("/")
    page.click("[data-tour-start]")
    for index in range(len(STEPS)):
        _shows(page, index, language)
        page.click(".tour .btn-primary")
    expect(page.locator(".tour")).to_have_count(0)


def test_a_tour_that_was_left_goes_on_where_it_was(sign_in: SignIn) -> None:
    page = sign_in("dispatcher", alone=True)
    page.goto("/")
    page.click("[data-tour-start]")
    page.click(".tour .btn-primary")
    expect(page.locator(".tour")).to_contain_text(f"2 / {len(STEPS)}")
    page.click(".tour >> text=先离开")
    expect(page.locator("[data-tour-start]")).to_have_text("继续导览")
    page.goto("/cases")
    expect(page.locator(".tour")).to_have_count(0)
    page.click("[data-tour-start]")
    expect(page.locator(".tour")).to_contain_text(f"2 / {len(STEPS)}")


@pytest.mark.parametrize("start", ["/", "/cases"])
def test_a_tour_that_was_asked_for_before_its_program_came_begins_with_it(sign_in: SignIn, start: str) -> None:
    page = sign_in("dispatcher", alone=True)
    held: list[Route] = []
    page.route(re.compile(r"/tour\.\w+\.js"), lambda script: held.append(script))
    page.goto(start)
    page.click("[data-tour-start]")
    page.wait_for_url(re.compile("/#tour$"))
    while len(held) < (1 if start == "/" else 2):
        page.wait_for_timeout(50)
    held[-1].continue_()
    page.unroute_all()
    expect(page.locator(".tour")).to_contain_text(f"1 / {len(STEPS)}")
    assert "#" not in page.url
