"""From an owner's files to raw declarations, by the shape of each kind: the first of the loader's two phases."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Any

from haitang.base.declarations import faults
from haitang.base.declarations.checks import Problem
from haitang.base.declarations.kinds import Kind, all_kinds
from haitang.base.declarations.owners import Owner
from haitang.base.declarations.positions import KeyPath, Position, Read, read_yaml
from haitang.base.declarations.statements import cedar_file, statements

WORD = re.compile(r"[a-z][a-z0-9_]*")
ROW_ID = re.compile(r"[^\s/]{1,64}")
BESIDE = frozenset({"locale", "tests"})
OVERRIDES = "overrides.yaml"
_HEADER = re.compile(r"\A(?P<before>(?:\s|--[^\n]*\n)*)/\*---[ \t]*\n(?P<yaml>.*?)^[ \t]*---\*/[ \t]*\n?", re.DOTALL | re.MULTILINE)


@dataclass
class Raw:
    """One declaration as written: plain data and where each key stands."""

    kind: Kind
    id: str
    owner: Owner
    data: Any
    start: Position
    positions: dict[KeyPath, Position] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.kind.name} {self.id}"

    def at(self, path: KeyPath) -> Position:
        """The position of a key path, or of the nearest key above it."""
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, self.start)


Found = tuple[list[Raw], list[Problem]]


def _at_file(fault: faults.Fault, owner: Owner, relative: str, line: int = 1, **data: Any) -> Problem:
    return fault.problem(**data).located(file=owner.path(relative), line=line, column=1)


def read_owner(owner: Owner) -> Found:
    """Every raw declaration of an owner, and what its files do not say well."""
    raws: list[Raw] = []
    problems = [_at_file(faults.UNREADABLE_FILE, owner, relative) for relative in owner.unreadable]
    for relative, text in owner.files.items():
        found, trouble = _read_file(owner, relative, text)
        raws += found
        problems += trouble
    return raws, problems


def _read_file(owner: Owner, relative: str, text: str) -> Found:
    path = PurePosixPath(relative)
    if relative == OVERRIDES or path.parts[0] in BESIDE or path.suffix in (".py", ".svg"):
        return [], []
    kind = kind_of_file(path)
    if kind is None:
        return [], [_at_file(faults.UNKNOWN_FILE, owner, relative, name=relative, near=_near_file(path))]
    where = owner.where if owner.where == "place" else "application"
    if where not in kind.where:
        belongs = "地方" if "place" in kind.where else "应用"
        return [], [_at_file(faults.WRONG_PLACE, owner, relative, kind=kind.title, where=belongs)]
    return _SHAPES[kind.shape](kind, owner, relative, text)


def kind_of_file(path: PurePosixPath) -> Kind | None:
    """The kind whose files are named like this."""
    for kind in all_kinds().values():
        at_top = len(path.parts) == 1 and path.stem == kind.folder
        inside = len(path.parts) == 2 and path.parts[0] == kind.folder
        if (kind.shape == "one" and at_top and path.suffix == ".yaml") or (kind.shape == "each" and inside and path.suffix == ".yaml"):
            return kind
        if kind.shape == "table" and at_top and path.suffix in (".yaml", ".csv"):
            return kind
        if kind.shape == "codes" and inside and path.suffix in (".yaml", ".csv"):
            return kind
        if kind.shape in ("sql", "cedar") and inside and path.suffix == f".{kind.shape}":
            return kind
        if kind.shape == "geojson" and at_top and path.suffix == ".geojson":
            return kind
    return None


def expected_file(kind: Kind) -> str:
    """How the file of a kind is named, for hints and reference pages."""
    return {
        "one": f"{kind.folder}.yaml",
        "each": f"{kind.folder}/<id>.yaml",
        "table": f"{kind.folder}.yaml / {kind.folder}.csv",
        "codes": f"{kind.folder}/<id>.yaml / {kind.folder}/<id>.csv",
        "sql": f"{kind.folder}/<id>.sql",
        "cedar": f"{kind.folder}/<id>.cedar",
        "geojson": f"{kind.folder}.geojson",
    }[kind.shape]


def _near_file(path: PurePosixPath) -> str:
    names = {kind.folder: expected_file(kind) for kind in all_kinds().values()}
    word = path.parts[0] if len(path.parts) > 1 else path.stem
    close = get_close_matches(word, names, 1, 0.5)
    return f"是不是 {names[close[0]]}" if close else "可用的有：" + "、".join(sorted(set(names.values())))


def _raw(kind: Kind, owner: Owner, relative: str, id: str, read: Read) -> Found:
    problems = list(read.problems)
    if not isinstance(read.data, dict):
        if not problems:
            problems.append(_at_file(faults.NOT_A_MAPPING, owner, relative))
        return [], problems
    start = Position(owner.path(relative), 1)
    return [Raw(kind, id, owner, read.data, start, read.positions)], problems


def _one(kind: Kind, owner: Owner, relative: str, text: str) -> Found:
    return _raw(kind, owner, relative, owner.name, read_yaml(text, owner.path(relative)))


def _each(kind: Kind, owner: Owner, relative: str, text: str) -> Found:
    return _with_id(kind, owner, relative, read_yaml(text, owner.path(relative)))


def _with_id(kind: Kind, owner: Owner, relative: str, read: Read) -> Found:
    id = PurePosixPath(relative).stem
    if not WORD.fullmatch(id):
        return [], [*read.problems, _at_file(faults.BAD_ID, owner, relative, id=id)]
    return _raw(kind, owner, relative, id, read)


def _sql(kind: Kind, owner: Owner, relative: str, text: str) -> Found:
    header = _HEADER.match(text)
    if header is None:
        return [], [_at_file(faults.SQL_HEADER, owner, relative)]
    first = text.count("\n", 0, header.start("yaml")) + 1
    read = read_yaml(header["yaml"], owner.path(relative), first_line=first)
    if isinstance(read.data, dict):
        read.data["sql"] = text[header.end() :].strip("\n")
        read.positions[("sql",)] = Position(owner.path(relative), text.count("\n", 0, header.end()) + 1)
    return _with_id(kind, owner, relative, read)


def _cedar(kind: Kind, owner: Owner, relative: str, text: str) -> Found:
    file = cedar_file(text)
    if file is None:
        return [], [_at_file(faults.CEDAR_HEADER, owner, relative)]
    read = read_yaml(file.yaml, owner.path(relative), first_line=file.first)
    if isinstance(read.data, dict):
        read.data["cedar"] = file.body
        read.positions[("cedar",)] = Position(owner.path(relative), file.body_line)
        for number, statement in enumerate(statements(file.body)):
            read.positions[("cedar", number)] = Position(owner.path(relative), file.body_line + statement.line)
    return _with_id(kind, owner, relative, read)


def _geojson(kind: Kind, owner: Owner, relative: str, text: str) -> Found:
    start = Position(owner.path(relative), 1)
    try:
        found = json.loads(text)
    except json.JSONDecodeError as trouble:
        problem = _at_file(faults.GEOJSON_SYNTAX, owner, relative, trouble.lineno, reason=trouble.msg)
        return [], [problem.located(column=trouble.colno)]
    except (ValueError, RecursionError):
        return [], [_at_file(faults.GEOJSON_SYNTAX, owner, relative, reason="嵌套太深")]
    if not isinstance(found, dict) or "type" not in found:
        return [], [_at_file(faults.GEOJSON_SYNTAX, owner, relative, reason="缺少成员 type")]
    return [Raw(kind, owner.name, owner, {"geojson": found}, start)], []


def _table(kind: Kind, owner: Owner, relative: str, text: str) -> Found:
    if relative.endswith(".csv"):
        return _rows(kind, owner, relative, text)
    read = read_yaml(text, owner.path(relative), keys_as_text=True)
    if not isinstance(read.data, dict):
        return _raw(kind, owner, relative, "", read)
    raws, problems = [], list(read.problems)
    for id, body in read.data.items():
        start = read.positions[(id,)]
        if not ROW_ID.fullmatch(id):
            problems.append(faults.BAD_ID.problem(id=id).located(file=start.file, line=start.line, column=start.column))
            continue
        positions = {path[1:]: at for path, at in read.positions.items() if path[:1] == (id,)}
        raws.append(Raw(kind, id, owner, body, start, positions))
    return raws, problems


def _rows(kind: Kind, owner: Owner, relative: str, text: str) -> Found:
    try:
        return _from_rows(kind, owner, relative, csv.reader(io.StringIO(text), strict=True))
    except csv.Error as trouble:
        return [], [_at_file(faults.CSV_TABLE, owner, relative, reason=str(trouble))]


def _from_rows(kind: Kind, owner: Owner, relative: str, reader: Any) -> Found:
    columns = [name.strip() for name in next(reader, [])]
    if "id" not in columns or len(set(columns)) != len(columns):
        return [], [_at_file(faults.CSV_TABLE, owner, relative, reason="列名缺少 id 或有重复")]
    raws, problems = [], []
    for line, cells in _lines(reader):
        start = Position(owner.path(relative), line)
        if len(cells) != len(columns):
            reason = f"有 {len(cells)} 格，应有 {len(columns)} 格"
            problems.append(_at_file(faults.CSV_TABLE, owner, relative, line, reason=reason))
            continue
        row = dict(zip(columns, (cell.strip() for cell in cells), strict=True))
        id = row.pop("id")
        if not ROW_ID.fullmatch(id):
            problems.append(_at_file(faults.BAD_ID, owner, relative, line, id=id))
            continue
        positions = _columns(columns, cells, start)
        raws.append(Raw(kind, id, owner, _typed(kind, row), start, positions))
    return raws, problems


def _codes(kind: Kind, owner: Owner, relative: str, text: str) -> Found:
    """A CSV file as one declaration: its first line `# title`, its rows by their first column."""
    if not relative.endswith(".csv"):
        return _each(kind, owner, relative, text)
    first, _, rest = text.partition("\n")
    if not first.startswith("#"):
        return [], [_at_file(faults.CSV_TABLE, owner, relative, reason="第一行应当是 # 名称")]
    try:
        reader = csv.reader(io.StringIO(rest), strict=True)
        columns = [name.strip() for name in next(reader, [])]
        rows = [(line + 1, [cell.strip() for cell in cells]) for line, cells in _lines(reader)]
    except csv.Error as trouble:
        return [], [_at_file(faults.CSV_TABLE, owner, relative, reason=str(trouble))]
    start, codes = Position(owner.path(relative), 1), {}
    positions: dict[KeyPath, Position] = {("title",): start, ("codes",): Position(owner.path(relative), 2)}
    for line, cells in rows:
        if len(cells) != len(columns) or cells[0] in codes:
            reason = f"代码 {cells[0]} 重复" if len(cells) == len(columns) else f"有 {len(cells)} 格，应有 {len(columns)} 格"
            return [], [_at_file(faults.CSV_TABLE, owner, relative, line, reason=reason)]
        codes[cells[0]] = {name: cell for name, cell in zip(columns[1:], cells[1:], strict=True) if cell}
        positions[("codes", cells[0])] = Position(owner.path(relative), line)
    return _with_id(kind, owner, relative, Read({"title": first.lstrip("# ").strip(), "codes": codes}, positions))


def _lines(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line they start on; blank lines left out."""
    before = reader.line_num
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield before + 1, cells
        before = reader.line_num


def _columns(columns: list[str], cells: list[str], start: Position) -> dict[KeyPath, Position]:
    found: dict[KeyPath, Position] = {}
    column = 1
    for name, cell in zip(columns, cells, strict=True):
        found[(name,)] = Position(start.file, start.line, column)
        column += len(cell) + 1
    return found


def _typed(kind: Kind, row: dict[str, str]) -> dict[str, Any]:
    """Cells as data: an empty cell is an absent key, a list is written with spaces between."""
    lists = {info.alias or name for name, info in kind.model.model_fields.items() if str(info.annotation).startswith("list")}
    return {key: cell.split() if key in lists else cell for key, cell in row.items() if cell != ""}


_SHAPES: dict[str, Callable[[Kind, Owner, str, str], Found]] = {
    "one": _one,
    "each": _each,
    "table": _table,
    "codes": _codes,
    "sql": _sql,
    "cedar": _cedar,
    "geojson": _geojson,
}
