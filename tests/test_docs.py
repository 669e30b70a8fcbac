"""Every relative link of every page leads somewhere, and what users read is there in Chinese too."""

import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
BOTH = [
    TOP / "README.md",
    TOP / "docs" / "README.md",
    *sorted((TOP / "docs" / "tutorial").glob("*.md")),
    *sorted((TOP / "docs" / "how-to").glob("*.md")),
]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)


def pages() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=TOP, capture_output=True, text=True, check=True)
    return [TOP / name for name in sorted(set(listed.stdout.split())) if (TOP / name).is_file()]


def prose(page: Path) -> str:
    """The text without code: indented blocks hold commands and their output."""
    lines = [line for line in page.read_text("utf-8").splitlines() if not line.startswith("    ")]
    return CODE.sub("", "\n".join(lines))


def anchors(page: Path) -> set[str]:
    """Anchors of headings as the usual renderers make them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def broken(page: Path) -> list[str]:
    found = []
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or not target.is_relative_to(TOP):
            found.append(f"{link}: nothing there")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            found.append(f"{link}: no such heading")
    return found


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(TOP)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    assert broken(page) == []


@pytest.mark.parametrize("page", [p for p in BOTH if not p.name.endswith(".zh-Hans.md")], ids=lambda page: str(page.relative_to(TOP)))
def test_what_users_read_is_there_in_both_languages(page: Path) -> None:
    other = page.with_name(f"{page.stem}.zh-Hans.md")
    assert other.is_file()
    assert f"]({other.name})" in page.read_text("utf-8")
    assert f"]({page.name})" in other.read_text("utf-8")
    commands = [re.findall(r"^    (\./haitang [a-z]+(?: [a-z]+)?)", p.read_text("utf-8"), re.MULTILINE) for p in (page, other)]
    assert commands[0] == commands[1]


def test_no_translation_without_its_original() -> None:
    assert [p for p in BOTH if p.name.endswith(".zh-Hans.md") and not p.with_name(p.name.replace(".zh-Hans", "")).is_file()] == []


def test_every_decision_stands_in_the_index() -> None:
    folder = TOP / "docs" / "adr"
    index = (folder / "README.md").read_text("utf-8")
    assert [p.name for p in sorted(folder.glob("0*.md")) if f"]({p.name})" not in index] == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = TOP / "docs" / "README.md"
    assert broken(page) == []
    copy = tmp_path / "README.md"
    copy.write_text(page.read_text("utf-8"), "utf-8")
    assert len(broken(copy)) > 10
