"""The cockpit: a map that opens on the district, tiles that lead to their records, a feed that is live."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import SignIn, leaving
from tests.browser.relay import relay


def test_the_map_opens_on_the_boundary_with_its_stations(sign_in: SignIn) -> None:
    page = sign_in("dispatcher")
    page.goto("/")
    expect(page.locator(".map-pin.thing").first).to_be_visible()
    expect(page.locator("path.leaflet-interactive, .leaflet-overlay-pane path").first).to_be_attached()
    page.locator(".leaflet-marker-icon:has(.map-pin.thing)").first.click()
    expect(page.locator(".leaflet-popup-content")).to_contain_text("查看详情")


def test_a_tile_leads_to_definition_and_records(sign_in: SignIn) -> None:
    page = sign_in("dispatcher")
    page.goto("/")
    page.click("a.tile >> nth=1")
    page.wait_for_url(re.compile("/indicators/"))
    expect(page.locator("canvas").first).to_be_visible()
    expect(page.locator(".data-table tbody tr").nth(5)).to_be_attached()


def test_cases_opened_elsewhere_one_after_the_other_all_appear_without_reloading(sign_in: SignIn) -> None:
    """The page is told of them closer together than it asks for them: the last one must not be left out."""
    watching, acting = sign_in("duty_officer"), sign_in("dispatcher")
    watching.goto("/")
    expect(watching.locator(".live-state")).to_have_attribute("data-state", "open")
    for title in ("实时动态测试", "紧接着的测试"):
        acting.goto("/cases/new")
        acting.select_option("#kind", "air_exceedance")
        acting.fill("#title", title)
        acting.fill("#description", "测试")
        with leaving(acting):
            acting.click("form[method=post] button.btn-primary")
    for title in ("实时动态测试", "紧接着的测试"):
        expect(watching.locator("[data-tour=feed]")).to_contain_text(title)


def test_the_wall_is_dark_and_fills_its_screen(sign_in: SignIn) -> None:
    page = sign_in("dispatcher", width=1920, height=1080)
    page.goto("/wall")
    expect(page.locator(".map-pin.thing").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") <= 1080


def test_what_happened_while_the_line_was_cut_is_shown_when_it_is_mended(sign_in: SignIn, district: str) -> None:
    watching, acting = sign_in("duty_officer"), sign_in("dispatcher")
    with relay(district) as line:
        watching.goto(f"{line.url}/")
        expect(watching.locator(".live-state")).to_have_attribute("data-state", "open")
        expect(
            watching.locator(".leaflet-container")
        ).to_be_visible()  # what is still being fetched when the line is cut fails loudly, and rightly
        line.cut()
        expect(watching.locator(".live-state")).to_have_attribute("data-state", "lost")
        acting.goto("/cases/new")
        acting.select_option("#kind", "air_exceedance")
        acting.fill("#title", "断线期间的案件")
        acting.fill("#description", "测试")
        acting.click("form[method=post] button.btn-primary")
        acting.wait_for_url(re.compile(r"/cases/\d"))
        line.mend()
        expect(watching.locator(".live-state")).to_have_attribute("data-state", "open")
        expect(watching.locator("[data-tour=feed]")).to_contain_text("断线期间的案件")


def test_a_persona_is_switched_with_one_click(sign_in: SignIn) -> None:
    page = sign_in("dispatcher", alone=True)
    page.goto("/cases")
    page.click(".bar.persona >> text=核查员")
    expect(page.locator(".bar.persona [aria-pressed=true]")).to_have_text("核查员")
