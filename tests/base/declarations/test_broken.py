"""One broken example for each fault: a folder named after its code, and the line where the fault must be reported.

`application/`, `place/` and `more/<name>/` (further applications) are the owners; each line of `expected.txt` says `file:line`.
"""

from pathlib import Path

import pytest

from haitang.base.actions import permissions
from haitang.base.declarations import checks, faults
from haitang.base.declarations.loader import load_folders
from haitang.base.declarations.owners import Owner, owner_of_folder
from haitang.base.declarations.spec_files import run_specs
from haitang.server.discovery import load_kinds, modules

load_kinds()
BROKEN = Path(__file__).parents[2] / "fixtures" / "declarations" / "broken"
EXAMPLES = sorted(folder.name for folder in BROKEN.iterdir())


def owners(folder: Path) -> list[Owner]:
    found = [owner_of_folder(folder / "application", "application")]
    found += [owner_of_folder(more, "application") for more in sorted((folder / "more").glob("*"))]
    return [*found, *([owner_of_folder(folder / "place", "place")] if (folder / "place").is_dir() else [])]


@pytest.fixture(scope="module", autouse=True)
def known_permissions() -> None:
    list(modules("actions"))


@pytest.mark.parametrize("code", EXAMPLES)
def test_a_broken_example_is_reported_where_it_is_broken(code: str) -> None:
    loaded = load_folders(owners(BROKEN / code), permissions=permissions)
    problems = loaded.problems + (run_specs(loaded.owners, loaded.declarations).problems if loaded.declarations else [])
    faulty = [p for p in problems if p.severity == "error" or p.code == code]
    found = {(p.code, f"{p.file.relative_to(BROKEN / code)}:{p.line}") for p in faulty if p.file}
    assert found == {(code, line) for line in (BROKEN / code / "expected.txt").read_text("utf-8").split()}


def test_every_fault_has_a_broken_example() -> None:
    assert sorted({*faults.registered, *checks.registered}) == EXAMPLES
