"""What the application and the reference district declare holds together, and its tables come out."""

from pathlib import Path

import pytest

from haitang.base.declarations.loader import Loaded, load_folders
from haitang.base.declarations.owners import Owner, applications, owner_of_folder, rooms
from haitang.base.declarations.spec_files import run_specs
from haitang.server.discovery import load_kinds, modules

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def owners() -> list[Owner]:
    load_kinds()
    list(modules("checks"))
    return [*rooms(), *applications(), owner_of_folder(ROOT / "places/dazu", "place")]


@pytest.fixture(scope="module")
def loaded(owners: list[Owner]) -> Loaded:
    return load_folders(owners)


def test_nothing_is_wrong_with_what_ships(loaded: Loaded) -> None:
    assert [str(problem) for problem in loaded.errors] == []


def test_every_text_of_ours_has_its_english(loaded: Loaded) -> None:
    ours = [
        str(p) for p in loaded.problems if p.code.endswith("no_english") and ("environment" in str(p.file) or "places/dazu" in str(p.file))
    ]
    assert ours == []


def test_every_table_comes_out(owners: list[Owner], loaded: Loaded) -> None:
    assert loaded.declarations
    ran = run_specs([o for o in owners if o.name == "environment"], loaded.declarations)
    assert [str(problem) for problem in ran.problems] == []
    assert ran.tables >= 11


def test_every_rule_derivation_and_indicator_has_a_table(owners: list[Owner]) -> None:
    files = next(o for o in owners if o.name == "environment").files
    declared = {Path(f).stem for f in files if Path(f).parts[0] in ("rules", "derive", "indicators")}
    assert declared <= {Path(f).stem for f in files if Path(f).parts[0] == "tests"}
