"""What `haitang check` says about rules."""

import pytest

from haitang.base.declarations.testing import declarations_of, load_texts
from haitang.hub.data.rules import checks  # noqa: F401  checks register themselves
from haitang.hub.data.rules.kinds import Rule
from haitang.server.discovery import load_kinds

load_kinds()

STATION = "title: Station\nobserves: {x: {title: X, unit: m, statistics: [instant, hour mean]}}"


def faults(watches: str, when: str, until: str = "") -> list[tuple[str, str]]:
    rule = f"title: Trial\nwatches: {watches}\nwhen: {when}\n" + (f"until: {until}\n" if until else "")
    loaded = load_texts({"application.yaml": "title: Trial", "devices/station.yaml": STATION, "rules/trial.yaml": rule})
    return [(p.key_path, p.code) for p in loaded.errors]


@pytest.mark.parametrize(
    ("watches", "when", "until", "key", "code"),
    [
        ("nowhere.x, hour mean", "value > 1", "", "watches", "watches_what_is_observed"),
        ("station.y, hour mean", "value > 1", "", "watches", "watches_what_is_observed"),
        ("station.x, day mean", "value > 1", "", "watches", "watches_what_is_observed"),
        ("station x", "value > 1", "", "watches", "watches_what_is_observed"),
        ("'station.x, hour mean'", "value >", "", "when", "condition_parses"),
        ("'station.x, hour mean'", "value > 1", "os.system()", "until", "condition_parses"),
        ("'station.x, hour mean'", "silent", "", "when", "condition_parses"),
        ("station", "value > 1", "", "when", "condition_parses"),
        ("station", "not silent", "", "when", "condition_parses"),
    ],
)
def test_names_the_key_that_is_wrong(watches: str, when: str, until: str, key: str, code: str) -> None:
    assert (key, f"rules.{code}") in faults(watches, when, until)


def test_a_right_rule_passes() -> None:
    assert faults("station.x, hour mean", "mean(6h) > 1", "value < 1") == []
    assert faults("station", "silent") == []


def test_a_tuned_rule_is_checked_as_well() -> None:
    files = {
        "application.yaml": "title: Trial",
        "devices/station.yaml": STATION,
        "rules/trial.yaml": "title: T\nwatches: station.x, instant\nwhen: value > 1\n",
    }
    tuned = declarations_of(files, place={"place.yaml": "title: P\ncode: '990001'", "overrides.yaml": "rule trial:\n  when: value > 2\n"})
    assert tuned.get(Rule, "trial").when == "value > 2"
    wrong = load_texts(files, place={"place.yaml": "title: P\ncode: '990001'", "overrides.yaml": "rule trial:\n  when: value >\n"})
    assert [(p.key_path, p.code, p.file.name if p.file else "") for p in wrong.errors] == [
        ("when", "rules.condition_parses", "overrides.yaml")
    ]
