"""A Cedar file: a YAML header in comment lines, then policies; Cedar itself has only `//` comments.

//---
// title: 乡镇可看本辖区的案件
// basis: 《…》第…条
//---
permit (principal in Role::"town_officer", action == Action::"case.read", resource)
when { … };
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER = re.compile(r"\A(?P<before>(?:[ \t]*\n)*)//---[ \t]*\n(?P<yaml>(?://(?!---)[^\n]*\n)*)//---[ \t]*(?:\n|\Z)")
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|;', re.DOTALL)


@dataclass(frozen=True)
class Statement:
    """One policy with the semicolon that ends it (the last may lack one); `line` counts from 0 within the text."""

    line: int
    text: str


@dataclass(frozen=True)
class CedarFile:
    """`yaml` is the header without its `//`, starting at line `first` of the file (from 1); `body` starts at line `body_line`."""

    yaml: str
    first: int
    body: str
    body_line: int


def cedar_file(text: str) -> CedarFile | None:
    """Header and body, or None where the header is missing."""
    found = _HEADER.match(text)
    if found is None:
        return None
    yaml = re.sub(r"^// ?", "", found["yaml"], flags=re.MULTILINE)
    first = text.count("\n", 0, found.start("yaml")) + 1
    return CedarFile(yaml, first, text[found.end() :], text.count("\n", 0, found.end()) + 1)


def statements(body: str) -> Iterator[Statement]:
    """The policies of a body, each from its first word on; comments before a policy are left out."""
    start = 0
    for token in _TOKEN.finditer(body):
        if token[0] == ";":
            yield from _statement(body, start, token.end())
            start = token.end()
    yield from _statement(body, start, len(body))


def _statement(body: str, start: int, end: int) -> Iterator[Statement]:
    rest = body[start:end]
    begins = re.match(r"(?:\s+|//[^\n]*(?:\n|\Z))*", rest)
    at = start + (begins.end() if begins else 0)
    if body[at:end].strip():
        yield Statement(body.count("\n", 0, at), body[at:end])
