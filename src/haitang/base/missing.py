"""Finds zh-Hans texts of the source that have no English: the list behind the test that keeps the catalogue whole.

Looked at: `{% t "..." %}` and `"..."|t` in templates; in Python the literals of `T`, `translate`, `error`, `permission` and `fault`, the titles of actions, kinds
and words, what `Tunable` says, and the reasons of processes. Declarations are looked at by `haitang check`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import haitang
from haitang.base.text import english

HAN = re.compile("[㐀-鿿]")
_IN_TEMPLATE = re.compile(r"""\{%-?\s*t\s+(?:"([^"]+)"|'([^']+)')|\{\{\s*(?:"([^"]+)"|'([^']+)')\s*\|\s*t\b""")
_SPOKEN = {
    "T": (0,),
    "translate": (0,),
    "error": (2,),
    "permission": (1,),
    "fault": (1, 2),
    "Tunable": (0,),
    "Saying": (0,),
    "Problem": (1, 2),
    "System": (1,),
}
_TITLED = frozenset({"action", "kind", "words", "Question", "Choice"})


def texts_of_template(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of each text that a template shows."""
    for match in _IN_TEMPLATE.finditer(source):
        yield source.count("\n", 0, match.start()) + 1, next(filter(None, match.groups()))


def texts_of_python(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of each text that Python shows through the catalogue."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            spoken: list[ast.expr] = [node.args[place] for place in _SPOKEN.get(name, ()) if place < len(node.args)]
            spoken += [keyword.value for keyword in node.keywords if name in _TITLED and keyword.arg == "title"]
            for argument in spoken:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.lineno, argument.value


def texts(root: Path | None = None) -> Iterator[tuple[str, str]]:
    """(`file:line`, text) of every text with Chinese in it below `root` (default: the package)."""
    top = root or Path(haitang.__file__).parent
    for file in sorted([*top.rglob("*.html"), *top.rglob("*.txt"), *top.rglob("*.py")]):
        read = texts_of_python if file.suffix == ".py" else texts_of_template
        if "migrations" not in file.parts and "skeletons" not in file.parts:
            for line, text in read(file.read_text("utf-8")):
                if HAN.search(text):
                    yield f"{file.relative_to(top)}:{line}", text


def missing_texts(root: Path | None = None) -> dict[str, str]:
    """Text -> where it stands first, for each text that no catalogue has in English."""
    found: dict[str, str] = {}
    for where, text in texts(root):
        if english(text) is None:
            found.setdefault(text, where)
    return found
