"""The bill of materials names what the locks pin, each with where it comes from."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from haitang.server import bill


def test_the_bill_names_every_pinned_package_once() -> None:
    made = bill.bill("run")
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    purls = [each["purl"] for each in made["components"] if each["purl"].startswith("pkg:pypi/")]
    assert {each["purl"].split("@")[0] for each in made["components"]} >= {"pkg:npm/htmx.org"}
    pinned = bill.LOCKS["run"].read_text("utf-8").count("==")
    assert len(purls) == len(set(purls)) > 30
    assert len(purls) <= pinned
    django = next(each for each in made["components"] if each["name"] == "django")
    assert django["purl"] == f"pkg:pypi/django@{django['version']}"
    assert django["licenses"]
    assert all(any(p["name"] == "haitang:file-sha256" for p in each["properties"]) for each in made["components"] if "properties" in each)
    assert made == bill.bill("run")


def test_the_command_writes_it_and_the_audit_says_when_it_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = subprocess.run([sys.executable, "-m", "haitang.server.cli", "sbom"], capture_output=True, text=True, timeout=60, cwd="/")
    assert json.loads(ran.stdout)["components"]
    monkeypatch.setattr(bill, "_PATIENCE", 60)  # a source that is slow is one that is skipped
    said, sound = bill.audit()
    assert sound == ("发现" not in said)  # what is known today is judged by `./haitang test`
    assert said


@pytest.mark.parametrize(
    ("report", "sound", "says"),
    [
        ({"one": "not found", "two": "not found"}, True, "已跳过"),
        ({"one": "not found", "two": []}, True, "核对 1 项，没有已知漏洞。\n未能核对 1 项（could not be audited）：one"),
        ({"one": [], "two": []}, True, "核对 2 项，没有已知漏洞。"),
        (
            {"one": [], "two": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]},
            False,
            "two 1.0：PYSEC-1，修复版本 2.1\n核对 2 项，发现 1 个漏洞。",
        ),
    ],
)
def test_what_was_not_looked_up_is_no_all_clear(
    report: dict[str, Any], sound: bool, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [
        {"name": name, **({"skip_reason": what} if isinstance(what, str) else {"version": "1.0", "vulns": what})}
        for name, what in report.items()
    ]
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\ncat <<'E'\n{json.dumps({'dependencies': told})}\nE\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    said, found = bill.audit()
    assert found == sound
    assert says in said


def test_a_source_that_gives_no_report_is_told_and_fails_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "pip-audit"
    program.write_text("#!/bin/sh\necho 'ConnectionError: no route' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    said, sound = bill.audit()
    assert sound
    assert said.startswith("已跳过")
    assert said.endswith("ConnectionError: no route")


def test_development_adds_to_what_runs() -> None:
    run, dev = ({each["purl"] for each in bill.bill(lock)["components"]} for lock in ("run", "dev"))
    assert run < dev
