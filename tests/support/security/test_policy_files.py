"""A declared policy: from its file to the decision, with its spec table; the example is the one of the how-to."""

import re
from pathlib import Path
from typing import Any

import pytest

from haitang.base.actions import Actor, permission, permissions
from haitang.base.declarations.in_force import holding
from haitang.base.declarations.loader import Loaded, load_folders
from haitang.base.declarations.owners import owner_of_folder
from haitang.base.declarations.spec_files import run_specs
from haitang.base.ports import policy
from haitang.server.discovery import load_kinds

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "write-a-policy.md"
ID = "town_reads_its_division"
ORGANIZATIONS = "longgang: {title: 街道, division: '500111001'}\nwater: {title: 水利局}\n"

permission("case.read", "查看案件")
load_kinds()


def example(heading: str) -> str:
    """The indented block under a heading of the how-to."""
    part = HOW_TO.read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.sub(r"^    ", "", "\n".join(line for line in part.splitlines() if line.startswith("    ") or not line), flags=re.MULTILINE)


def loaded(folder: Path, spec: str) -> Loaded:
    files = {
        "application/application.yaml": "title: 例\n", "application/roles/town_officer.yaml": "title: 街道干部\nmay: [case.read]\n",
        f"application/policies/{ID}.cedar": example("The file").strip() + "\n", "application/tests/town.yaml": spec,
        "place/place.yaml": "title: 例区\ncode: '500111'\n", "place/organizations.yaml": ORGANIZATIONS,
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    owners = [owner_of_folder(folder / "application", "application"), owner_of_folder(folder / "place", "place")]
    return load_folders(owners, permissions=permissions)


def test_the_example_of_the_how_to_loads_and_its_table_holds(tmp_path: Path) -> None:
    found = loaded(tmp_path, example("Its test").strip() + "\n")
    assert found.errors == []
    ran = run_specs(found.owners, found.partial)
    assert (ran.tables, ran.problems) == (1, [])


def test_a_table_that_does_not_hold_is_reported_at_its_row(tmp_path: Path) -> None:
    found = loaded(tmp_path, example("Its test").strip().replace("deny ", "allow") + "\n")
    (problem,) = run_specs(found.owners, found.partial).problems
    assert (problem.code, problem.line) == ("declarations.spec_failed", 9)


@pytest.mark.parametrize(("division", "allowed"), [("500111001002", True), ("500111002001", False), (None, False)])
def test_the_policy_decides_in_every_place_that_asks(division: str | None, allowed: bool, tmp_path: Path) -> None:
    found = loaded(tmp_path, "")
    officer = Actor("staff", "1", "某人", "longgang", frozenset({"town_officer"}))
    with holding(found.partial):
        decision = policy().decide(actor=officer, permission="case.read", resource={"kind": "case", "division": division})
    assert decision.allowed is allowed
    assert decision.policies == (("role/town_officer",) if allowed else (ID,))


def test_a_policy_that_names_one_thing_decides_on_that_one_only(tmp_path: Path) -> None:
    """Verdicts are shared by things that are alike, so a policy that tells them apart must be seen to do so."""
    found = loaded(tmp_path, "")
    (tmp_path / "application/policies/one.cedar").write_text(
        '//---\n// title: 例\n//---\nforbid (principal, action == Action::"case.read", resource) when { resource.ref == "case:7" };\n',
        "utf-8",
    )
    named = load_folders([owner_of_folder(tmp_path / name, name) for name in ("application", "place")], permissions=permissions)
    officer = Actor("staff", "1", "某人", "longgang", frozenset({"town_officer"}))

    def allowed(declared: Any) -> list[bool]:
        with holding(declared):
            cases = [{"kind": "case", "id": id, "division": "500111001"} for id in ("6", "7", "8")]
            return [policy().decide(actor=officer, permission="case.read", resource=case).allowed for case in cases]

    assert named.errors == []
    assert (allowed(found.partial), allowed(named.partial)) == ([True, True, True], [True, False, True])
