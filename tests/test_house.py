"""The house keeps its sizes, and names nobody's machine."""

import ast
import re
import subprocess
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parents[1]
APART = {"migrations", "skeletons"}  # written by Django; copied into new applications
SOURCES = [file for file in (ROOT / "src").rglob("*.py") if not APART & set(file.parts) and file.read_text("utf-8").strip()]


def _p90(values: list[int]) -> float:
    return quantiles(values, n=10)[-1]


def _functions() -> list[tuple[int, str]]:
    """(lines without the docstring, place) of every function."""
    found = []
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                said = node.body[0]
                told = isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant) and isinstance(said.value.value, str)
                docstring = (said.end_lineno or 0) - said.lineno + 1 if told else 0
                found.append(((node.end_lineno or 0) - node.lineno + 1 - docstring, f"{file}:{node.lineno} {node.name}"))
    return found


def test_modules_stay_small() -> None:
    lines = [len(file.read_text("utf-8").splitlines()) for file in SOURCES]
    assert max(lines) <= 600
    assert _p90(lines) <= 350
    assert median(lines) <= 120


def test_functions_stay_short() -> None:
    lengths = _functions()
    assert _p90([length for length, _ in lengths]) <= 30
    long = [where for length, where in lengths if length > 50]
    assert len(long) <= 0.03 * len(lengths), long


def test_every_package_is_seen_by_the_layers() -> None:
    folders = {file.parent for file in SOURCES}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_tests_of_pages_wait_for_what_they_look_at() -> None:
    """`expect` looks again until it is so; these look once, perhaps at a page that is still coming."""
    once = re.compile(r"\.(all_inner_texts|all_text_contents|count|content|is_visible|is_hidden|is_enabled|is_checked)\(")
    read = (file for file in (ROOT / "tests/browser").glob("*.py") if "playwright" in file.read_text("utf-8"))
    looks = {str(file): once.findall(file.read_text("utf-8")) for file in read}
    assert {file: found for file, found in looks.items() if found} == {}


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def test_nothing_names_a_package_registry_or_a_path_of_one_machine() -> None:
    hosts = "|".join(
        (r"py" + r"pi\.org", r"python" + "hosted", r"npm" + r"js\.(?:org|com)", r"deb\." + r"debian\.org", r"registry\." + "npm")
    )
    named = re.compile(rf"{hosts}|/home/\w+/|/root/\w|/Users/\w+/")
    texts = [file for file in _tracked() if file.suffix not in (".png", ".gz", ".webp", ".jpg")]
    assert [str(file) for file in texts if named.search(file.read_text("utf-8", errors="replace"))] == []
