"""A device is moved by clicking the map: the click fills the form, the move is noted, and the history tells of it."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SignIn

FACES = [("zh-hans", 1440), ("en", 390), ("zh-hans", 390), ("en", 1440)]


def opened(page: Page) -> Page:
    page.goto("/things/air_longgang")
    section = page.locator("#location")
    section.locator("details > summary").click()
    expect(section.locator("[data-island=pick] .leaflet-interactive").first).to_be_visible()
    return page


def click(page: Page, across: float, down: float) -> tuple[float, float]:
    """A point of the map, as shares of its width and height; gives the coordinates that the form then has."""
    box, before = page.locator("[data-island=pick]").bounding_box(), page.input_value("#move-longitude")
    assert box
    page.locator("[data-island=pick]").click(position={"x": box["width"] * across, "y": box["height"] * down})
    expect(page.locator("#move-longitude")).not_to_have_value(before)
    expect(page.locator("#move-longitude")).to_have_value(re.compile(r"^\d+\.\d{6}$"))
    return float(page.input_value("#move-longitude")), float(page.input_value("#move-latitude"))


@pytest.mark.parametrize(("language", "width"), FACES)
def test_a_click_fills_the_coordinates_and_another_one_changes_them(sign_in: SignIn, language: str, width: int) -> None:
    page = opened(sign_in("administrator", language=language, width=width))
    page.select_option("#move-system", "gcj02")
    east, north = click(page, 0.8, 0.25)
    expect(page.locator("#move-system")).to_have_value("cgcs2000")
    west, south = click(page, 0.4, 0.75)
    assert (west < east, south < north) == (True, True)
    assert 105 < west < east < 107, "the map opens where the device stands"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    expect(page.locator("[data-island=pick] .map-pin")).to_have_count(1)


def test_what_was_clicked_is_where_the_device_stands_from_then_on(sign_in: SignIn) -> None:
    page = opened(sign_in("administrator", width=390))
    longitude, latitude = click(page, 0.7, 0.4)
    page.fill("#move-reason", "迁至新址")
    page.locator("#location form button.btn-primary").click()
    history = page.locator("#location tbody tr")
    expect(history.first).to_contain_text("迁至新址")
    expect(history.first).to_contain_text(f"{longitude:.6f}°E")
    expect(history.first).to_contain_text(f"{latitude:.6f}°N")
    expect(history).to_have_count(2)


def test_without_scripts_the_fields_are_there(sign_in: SignIn, district: str) -> None:
    page = sign_in("administrator")
    bare = page.context.browser.new_context(base_url=district, java_script_enabled=False)  # type: ignore[union-attr]
    bare.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    plain = bare.new_page()
    plain.goto("/things/air_longgang")
    plain.locator("#location details > summary").click()
    expect(plain.locator("#move-longitude")).to_be_visible()
    bare.close()
