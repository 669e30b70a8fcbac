"""Spec tables: an input table, one declaration, an expected table. They are tests and documentation at once.

    rule: pm2_5_exceeds            # the kind and the id
    day: 2026-03-01                # further keys are the runner's `options`
    given: |
      hour   pm2_5  flag
      08:00    120  N              # a comment
    expect: |
      at     alarm
      10:00  opens

A room registers how tables of a kind are run, in its `kinds.py` or `checks.py`:

    @spec("rule")
    def run(declared: Rule, table: SpecTable) -> list[Failure]: ...
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from haitang.base.declarations.in_force import Declarations

Row = dict[str, str | None]

_COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass(frozen=True)
class Table:
    """Rows by column name; a cell `-` is None (missing). `lines[i]` is the line of row i inside the written table, from 0."""

    columns: list[str]
    rows: list[Row]
    lines: list[int] = field(default_factory=list)

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class SpecTable:
    """One spec table: `given` and `expect` parsed, `options` are the file's further keys, `declarations` everything that it may refer to."""

    kind: str
    id: str
    given: Table
    expect: Table
    options: Mapping[str, Any]
    declarations: Declarations
    owner: str
    file: Path


@dataclass(frozen=True)
class Failure:
    """One expectation that did not hold, in zh-Hans. `row` is the row of `expect` that it is about (None: of the whole table)."""

    message: str
    row: int | None = None


Runner = Callable[[Any, SpecTable], list[Failure]]
runners: dict[str, Runner] = {}


def spec(kind: str) -> Callable[[Runner], Runner]:
    """Register the runner of spec tables whose first key is `kind`."""

    def register(runner: Runner) -> Runner:
        if kind in runners and runners[kind].__module__ != runner.__module__:
            raise RuntimeError(f"spec runner of {kind} is registered twice")
        runners[kind] = runner
        return runner

    return register


def parse_table(text: str) -> Table:
    """Read a whitespace table; ValueError says which line does not fit its header.

    Cells are divided by two or more spaces where that fits the header (so that `2026-03-01 08:00` can be one cell), else by any whitespace.
    """
    lines = [(number, _COMMENT.sub("", line).strip()) for number, line in enumerate(text.splitlines())]
    filled = [(number, line) for number, line in lines if line]
    if not filled:
        return Table([], [])
    columns = filled[0][1].split()
    if len(set(columns)) != len(columns):
        raise ValueError(f"表头有重复的列：{filled[0][1]}")
    rows = [_cells(line, columns, number) for number, line in filled[1:]]
    return Table(columns, rows, [number for number, _ in filled[1:]])


def _cells(line: str, columns: list[str], number: int) -> Row:
    cells = re.split(r"\s{2,}|\t", line)
    if len(cells) != len(columns):
        cells = line.split()
    if len(cells) != len(columns):
        raise ValueError(f"第 {number + 1} 行有 {len(cells)} 格，表头有 {len(columns)} 列：{line}")
    return {column: None if cell == "-" else cell for column, cell in zip(columns, cells, strict=True)}
