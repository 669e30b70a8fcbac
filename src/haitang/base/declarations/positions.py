"""YAML 1.2 read into plain data that knows where each key stands.

Only what declarations need: mappings, lists and scalars. Anchors and aliases are refused (a reader should not have to jump), dates stay text (the
models parse them), and nothing in a file can raise: every trouble becomes a problem.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from haitang.base.declarations import faults
from haitang.base.declarations.checks import Problem

KeyPath = tuple[str | int, ...]

UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL stores no NUL, UTF-8 no lone surrogate
DEEPEST = 40
LONGEST_NUMBER = 40
_KEPT = 2048  # texts; a district has a few hundred
_LONGEST_KEPT = 1 << 16  # characters
_NUMBERS: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:int": lambda text: int(text.replace("_", ""), 0 if text.lstrip("+-")[:2].lower() in ("0x", "0o") else 10),
    "tag:yaml.org,2002:float": lambda text: float(text.lower().replace("_", "").replace(".inf", "inf").replace(".nan", "nan")),
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:null": lambda text: None,
}


@dataclass(frozen=True)
class Position:
    """A place in a file, counted from 1."""

    file: Path
    line: int
    column: int = 1


def dotted(path: KeyPath) -> str:
    return ".".join(str(part) for part in path)


@dataclass
class Read:
    """Plain data, where each key path stands, and what was wrong. `blocks`: first line of the text of each block scalar."""

    data: Any = None
    positions: dict[KeyPath, Position] = field(default_factory=dict)
    blocks: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def at(self, path: KeyPath) -> Position | None:
        """The position of `path`, or of the nearest key above it."""
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path)


def read_yaml(text: str, file: Path, *, first_line: int = 1, keys_as_text: bool = False) -> Read:
    """Read one document. `first_line` is where `text` starts in `file`; `keys_as_text` keeps the top keys as written (`0501` stays `0501`)."""
    reader = _Reader(file, first_line, keys_as_text)
    try:
        node = _composed(text) if len(text) <= _LONGEST_KEPT else _compose(text)
    except MarkedYAMLError as trouble:
        mark = trouble.problem_mark or trouble.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        reader.fault(faults.YAML_SYNTAX, (), line, column, reason=str(trouble.problem or trouble.context or "").strip())
    except (YAMLError, ValueError, RecursionError, TypeError, AttributeError, KeyError, IndexError) as trouble:
        reader.fault(faults.YAML_SYNTAX, (), 0, 0, reason=str(trouble).splitlines()[0] if str(trouble) else type(trouble).__name__)
    else:
        if node is not None:
            reader.read.data = reader.value(node, ())
    return reader.read


def _compose(text: str) -> Node | None:
    found: Node | None = YAML(typ="safe", pure=True).compose(text)
    return found


_composed = lru_cache(_KEPT)(_compose)
"""What was composed before: nodes are only ever read, and composing them is most of the time that loading a release takes."""


class _Reader:
    """Turns composed nodes into data, once each (an alias is a second visit)."""

    def __init__(self, file: Path, first_line: int, keys_as_text: bool) -> None:
        self.file = file
        self.first_line = first_line
        self.keys_as_text = keys_as_text
        self.read = Read(positions={(): Position(file, first_line)})
        self._made: dict[int, Any] = {}

    def fault(self, kind: faults.Fault, path: KeyPath, line: int, column: int, **data: Any) -> None:
        self.read.problems.append(
            kind.problem(dotted(path), **data).located(file=self.file, line=line + self.first_line, column=column + 1)
        )

    def fault_at(self, kind: faults.Fault, path: KeyPath, node: Node, **data: Any) -> None:
        self.fault(kind, path, node.start_mark.line, node.start_mark.column, **data)

    def value(self, node: Node, path: KeyPath) -> Any:
        if id(node) in self._made:
            at = self.read.at(path)
            assert at is not None
            self.read.problems.append(faults.YAML_ALIAS.problem(dotted(path)).located(file=at.file, line=at.line, column=at.column))
            return self._made[id(node)]
        self._made[id(node)] = None  # what an alias inside itself gives
        self._made[id(node)] = self._new(node, path)
        return self._made[id(node)]

    def _new(self, node: Node, path: KeyPath) -> Any:
        if len(path) > DEEPEST:
            self.fault_at(faults.YAML_SYNTAX, path, node, reason=f"嵌套超过 {DEEPEST} 层")
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self._item(item, (*path, place)) for place, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self._scalar(node, path)

    def _item(self, node: Node, path: KeyPath) -> Any:
        self._stands(path, node)
        return self.value(node, path)

    def _stands(self, path: KeyPath, node: Node) -> None:
        self.read.positions[path] = Position(self.file, node.start_mark.line + self.first_line, node.start_mark.column + 1)

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self.fault_at(faults.BAD_KEY, path, key_node)
                continue
            key = str(key_node.value) if self.keys_as_text and not path else self._scalar(key_node, path)
            if not isinstance(key, str | int) or isinstance(key, bool):
                key = str(key_node.value)
            if key in found:
                self.fault_at(faults.DUPLICATE_KEY, (*path, key), key_node, key=key)
                continue
            self._stands((*path, key), key_node)
            found[key] = self.value(value_node, (*path, key))
        return found

    def _scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        text = str(node.value)
        if UNSTORABLE.search(text):
            self.fault_at(faults.YAML_SYNTAX, path, node, reason="文字里有不能保存的字符（空字符或半个代理对）")
            return UNSTORABLE.sub("", text)
        if node.style in ("|", ">"):
            self.read.blocks[path] = node.start_mark.line + self.first_line + 1
        convert = _NUMBERS.get(str(node.tag)) if node.style is None else None
        if convert is None or len(text) > LONGEST_NUMBER:
            return text
        try:
            return convert(text)
        except ValueError:
            return text
