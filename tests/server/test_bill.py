"""The bill of materials names what the locks pin, each with where it comes from."""

import json
import subprocess
import sys

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


def test_the_command_writes_it_and_the_audit_says_when_it_is_skipped() -> None:
    ran = subprocess.run([sys.executable, "-m", "haitang.server.cli", "sbom"], capture_output=True, text=True, timeout=60, cwd="/")
    assert json.loads(ran.stdout)["components"]
    said, sound = bill.audit()
    assert said
    assert sound or "漏洞" not in said


def test_development_adds_to_what_runs() -> None:
    run, dev = ({each["purl"] for each in bill.bill(lock)["components"]} for lock in ("run", "dev"))
    assert run < dev
