"""Merged divisions: old codes resolve to today's district."""

import csv
from pathlib import Path

import pytest

from haitang.support.standards.codes import CODES
from haitang.support.standards.divisions import former, successor, title_in

COUNTIES = Path(__file__).parents[4] / "shared" / "standards" / "samples" / "codes" / "chongqing-counties.csv"


@pytest.mark.parametrize(
    ("code", "today"),
    [("500225", "500111"), ("500111", "500111"), ("510230", "500111"), ("510217", "500111"), ("500222", "500110"), ("110105", "110105")],
)
def test_a_former_code_resolves_to_todays_county(code: str, today: str) -> None:
    assert successor(code) == today


def test_a_town_of_a_merged_county_resolves_to_the_county() -> None:
    assert successor("500225101") == "500111"
    assert successor("500111101") == "500111101"


def test_a_code_meant_another_division_in_another_year() -> None:
    assert title_in("500111", 1999) == "双桥区"
    assert title_in("500225", 1999) == "大足县"
    assert title_in("500111", 2020) == ""


def test_the_history_is_sound() -> None:
    assert all(CODES["division"].fault(d.code) == "" and d.since <= d.until for d in former())


def test_every_successor_exists_today() -> None:
    if not COUNTIES.exists():
        pytest.skip(f"{COUNTIES} is not on this machine")
    with COUNTIES.open(encoding="utf-8-sig") as file:
        today = {row["code"] for row in csv.DictReader(file)}
    assert {d.successor for d in former()} <= today
