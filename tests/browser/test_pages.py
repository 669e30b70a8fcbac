"""Every page stands: it answers, says what it is, loads its islands, fits the screen, and comes light."""

import re

import pytest
from playwright.sync_api import Page, expect

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
    expect(page.locator("h1").first).to_be_visible()
    assert _width(page) <= 390


@pytest.mark.parametrize(("role", "path"), DESK)
def test_english_pages_hold_no_chinese_of_ours(sign_in: SignIn, role: str, path: str) -> None:
    page = sign_in(role, language="en")
    page.goto(path)
    heading = page.locator("h1").first.inner_text()
    menu = page.locator(".side").inner_text()
    assert not any("一" <= letter <= "鿿" for letter in heading.replace("空气", "") + menu.replace("大足", ""))


# Later parts, loaded when seen: what draws maps and charts, with their data; the live feed never ends.
LATER = re.compile(r"/static/(map|chart)[.]|/maps/|/charts/|/live")
SHIFTS = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => list.getEntries().forEach(each => { if (!each.hadRecentInput) sum += each.value; }))
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 1500);
})"""


@pytest.mark.parametrize(
    ("path", "width"), [("/", 1440), ("/", 390), ("/cases", 390), ("/pages/air", 1440), ("/m/tasks", 390), ("/wall", 1440)]
)
def test_a_page_comes_light_in_few_requests_and_stands_still(sign_in: SignIn, path: str, width: int) -> None:
    """Under 300 kB on the wire before map and charts, with an empty cache, and no layout shift that Web Vitals would call poor (0.1)."""
    page = sign_in("dispatcher", width=width, height=844)
    wire, addresses, ended = page.context.new_cdp_session(page), dict[str, str](), dict[str, float]()
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    wire.on("Network.requestWillBeSent", lambda event: addresses.update({event["requestId"]: event["request"]["url"]}))
    wire.on("Network.loadingFinished", lambda event: ended.update({event["requestId"]: event["encodedDataLength"]}))
    page.goto(path, wait_until="load")
    shifted = page.evaluate(SHIFTS)
    early = {addresses[id]: size for id, size in ended.items() if not LATER.search(addresses[id])}
    assert sum(early.values()) < 300_000
    assert len(early) <= 15
    assert shifted < 0.1
