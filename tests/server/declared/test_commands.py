"""check and new, as a person calls them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from haitang.server.cli import main


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


@pytest.fixture(autouse=True)
def booted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("haitang.server.boot._booted", True)


def test_check_says_where_in_json_and_exits_1(folders: Path) -> None:
    (folders / "air/rules/high.yaml").write_text("title: 超标\nwatches: air_station.pm2_5, hour mean\nwehn: value\n", "utf-8")
    done = call("check", "--json")
    found = {(one["code"], one["line"]) for one in json.loads(done.stdout) if one["severity"] == "error"}
    assert done.exit_code == 1
    assert ("declarations.unknown_key", 3) in found


def test_check_passes_what_is_right(folders: Path) -> None:
    done = call("check")
    assert done.exit_code == 0, done.stdout


def test_check_writes_schemas_that_name_the_tunable_keys(folders: Path) -> None:
    call("check", "--schema", str(folders / "schemas"))
    schema = json.loads((folders / "schemas/rule.json").read_text("utf-8"))
    assert schema["additionalProperties"] is False
    assert "for" in schema["properties"]
    assert schema["x-tunable"]["when"] == "报警条件"


@pytest.fixture
def skeleton(folders: Path) -> Path:
    for name in ("handler", "verifier"):
        (folders / f"air/roles/{name}.yaml").write_text("title: 某人\n", "utf-8")
    (folders / "air/forms").mkdir()
    (folders / "air/forms/moves.yaml").write_text("title: 办理\nquestions: {note: {title: 说明}, reason: {title: 理由}}\n", "utf-8")
    assert call("new", "application", "rivers", "--to", str(folders / "mine")).exit_code == 0
    return folders / "mine" / "rivers"


def test_a_new_application_passes_its_checks_and_its_own_tests(skeleton: Path) -> None:
    done = call("check", str(skeleton))
    assert done.exit_code == 0, done.stdout
    assert "1 张用例表" in done.stdout


def test_a_new_application_has_all_its_english(skeleton: Path) -> None:
    assert json.loads(call("check", str(skeleton), "--json").stdout) == []


def test_its_spec_table_can_fail(skeleton: Path) -> None:
    table = skeleton / "tests/rivers_level_high.yaml"
    table.write_text(table.read_text("utf-8").replace("5.2", "1.0"), "utf-8")
    assert "declarations.spec_failed" in call("check", str(skeleton)).stdout


def test_a_name_that_cannot_be_a_folder_is_refused(folders: Path) -> None:
    assert call("new", "application", "My-App", "--to", str(folders)).exit_code == 1
