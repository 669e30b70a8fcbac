"""The platform knows no district: the tour runs in a place of another name and code, and no Python names the reference district."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _elsewhere(folder: Path) -> Path:
    """The reference place under another name and division code."""
    place = folder / "elsewhere"
    shutil.copytree(ROOT / "places" / "dazu", place)
    for file in place.rglob("*"):
        if file.suffix in (".yaml", ".csv", ".geojson"):
            text = file.read_text("utf-8")
            file.write_text(text.replace("500111", "500199").replace("大足", "甲乙").replace("Dazu", "Jiayi"), "utf-8")
    return place


@pytest.mark.timeout(400)
def test_the_chain_holds_in_a_place_of_another_name(tmp_path: Path) -> None:
    place = _elsewhere(tmp_path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HAITANG_")}
    command = [sys.executable, "-m", "haitang.server.cli", "tour", "--json", "--place", str(place), "--data", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=380, check=False)
    told = json.loads(done.stdout)
    assert [entry for entry in told["stations"] if not entry["held"]] == []
    assert told["held"]
    assert "500199-" in json.dumps(told)


def test_no_python_names_the_reference_district() -> None:
    named = re.compile("dazu|大足|500111", re.IGNORECASE)
    kept = {"settings.py"}  # the default of the setting `place`
    files = [file for file in (ROOT / "src").rglob("*.py") if file.name not in kept]
    assert [str(file) for file in files if named.search(file.read_text("utf-8"))] == []
