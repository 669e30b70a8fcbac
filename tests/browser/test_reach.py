"""Everybody can use the pages: axe-core finds nothing serious, the keyboard reaches what the mouse does, and who asked for less motion gets less."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SignIn
from tests.peers import HERE, needs_peers

AXE = HERE / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DISPATCHER = [
    "/",
    "/cases",
    "/cases/new",
    "/alarms",
    "/things",
    "/indicators",
    "/pages/air",
    "/inbox",
    "/evaluation",
    "/resources",
    "/gather",
]
FACES = [("zh-hans", "light", 1440), ("en", "dark", 1440), ("en", "light", 390), ("zh-hans", "dark", 390)]


def wrong(page: Page) -> list[str]:
    """Rule and first element of each serious or critical violation on the page as it stands."""
    needs_peers()
    page.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = page.evaluate("tags => axe.run(document, {runOnly: tags})", RULES)
    return [
        f"{page.url.partition('//')[2].partition('/')[2]}: {each['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"][:2]
    ]


def settled(page: Page) -> None:
    """Charts and map are there, and nothing moves any more."""
    page.wait_for_load_state("load")
    page.evaluate("() => Promise.all(document.getAnimations().map(each => each.finished.catch(() => null)))")


@pytest.mark.parametrize(("language", "theme", "width"), FACES)
def test_axe_finds_nothing_serious_on_the_desk(sign_in: SignIn, language: str, theme: str, width: int) -> None:
    page, found = sign_in("dispatcher", language=language, theme=theme, width=width, height=844), []
    for path in DISPATCHER:
        page.goto(path)
        settled(page)
        found += wrong(page)
    case = page.request.get("/cases?format=csv").text().splitlines()[1].partition(",")[0]
    page.goto(f"/cases/{case}")
    settled(page)
    assert found + wrong(page) == []


@pytest.mark.parametrize(
    ("role", "paths"),
    [
        (None, ["/sign-in", "/no/such/page"]),
        ("handler", ["/m/tasks", "/account", "/inbox/channels"]),
        ("auditor", ["/evidence", "/evidence/seals", "/evidence/accesses", "/declarations", "/people"]),
        ("dispatcher", ["/wall", "/evidence/mine", "/search?q=空气"]),
    ],
)
def test_axe_finds_nothing_serious_elsewhere(sign_in: SignIn, role: str | None, paths: list[str]) -> None:
    page, found = sign_in(role), []
    for path in paths:
        page.goto(path)
        settled(page)
        found += wrong(page)
    assert found == []


def test_the_first_tab_leads_past_the_navigation(sign_in: SignIn) -> None:
    page = sign_in("dispatcher")
    page.goto("/cases")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_the_menu_of_a_phone_opens_and_closes_by_keyboard(sign_in: SignIn) -> None:
    page = sign_in("dispatcher", width=390, height=844)
    page.goto("/cases")
    button = page.locator("[data-menu]")
    button.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".side a").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".side")).to_be_hidden()
    expect(button).to_be_focused()


def test_escape_closes_an_open_sheet_and_gives_the_focus_back(sign_in: SignIn) -> None:
    page = sign_in("dispatcher")
    page.goto("/cases")
    summary = page.locator(".top details.pick summary")
    summary.press("Enter")
    expect(page.locator(".top details.pick .sheet")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".top details.pick .sheet")).to_be_hidden()
    expect(summary).to_be_focused()


def test_who_asked_for_less_motion_gets_none(sign_in: SignIn) -> None:
    page = sign_in("dispatcher")
    page.emulate_media(reduced_motion="reduce")
    page.goto("/")
    longest = page.evaluate(
        "Math.max(...[...document.querySelectorAll('*')].map(e => getComputedStyle(e)).flatMap("
        "s => [...s.transitionDuration.split(','), ...s.animationDuration.split(',')].map(parseFloat)))"
    )
    assert longest <= 0.01
