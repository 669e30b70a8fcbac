"""Judges chunks of one file against the fields and conditions of one resource, with DuckDB over Arrow columns.

Three steps a chunk: texts become values (`typed`), every rule is asked of every row at once (`bad`), and only for rows that break one it is
asked which (`reasons`). Rows that break none are told apart by key, and go on with the leaf of each for the evidence block.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from haitang.base import clock
from haitang.base.clock import now
from haitang.base.declarations import Declarations
from haitang.hub.data.catalogue.kinds import CodeTable, Resource
from haitang.hub.data.catalogue.tables import canonical, columns_of
from haitang.hub.data.gather.judge import codes, convert
from haitang.hub.data.gather.judge.cells import trimmed
from haitang.hub.data.gather.judge.lookups import Lookups
from haitang.hub.data.gather.judge.rules import Rule, rules_of
from haitang.hub.data.gather.judge.seen import Seen
from haitang.hub.data.gather.readers.types import Chunk

Reason = dict[str, Any]
Columns = Mapping[str, str | Sequence[str]]
LONGEST = 200  # characters of a value that a reason quotes


@dataclass(frozen=True)
class Refused:
    """A row that is not accepted: its line, raw text, cells by heading, every reason, and its key where that could be read."""

    line: int
    raw: str
    cells: dict[str, str]
    reasons: list[Reason]
    key: tuple[Any, ...] | None = None


@dataclass
class Judged:
    """What became of a chunk. `accepted`: Arrow table of the resource's columns and `line`, in the order of the file; `leaves`: the leaf hash of each."""

    accepted: Any
    leaves: list[bytes]
    repeated: int = 0
    refused: list[Refused] = field(default_factory=list)

    @property
    def faults(self) -> dict[str, Counter[str]]:
        """Field (empty: the row) -> reason -> rows."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for row in self.refused:
            for reason in row.reasons:
                found[str(reason.get("field", ""))][str(reason["code"])] += 1
        return found


class Judge:
    """`columns`: field -> heading; `parts`: the accepted parts that the run has staged already, and will go on to stage."""

    def __init__(
        self, connection: Any, resource: Resource, columns: Columns, declarations: Declarations, lookups: Lookups, locate: codes.Locate,
        parts: list[Path] | None = None,
    ) -> None:  # fmt: skip
        self.connection, self.resource, self.columns, self.lookups, self.locate = connection, resource, columns, lookups, locate
        self.parts = parts if parts is not None else []
        today = now().astimezone(clock.CHINA).date()
        self.rules: list[Rule] = rules_of(resource, lambda id: declarations.get(CodeTable, id).valid_on(today))
        self.stored = list(columns_of(resource))
        self._ready = {name for name, f in resource.fields.items() if f.type == "point" or codes.code_of(f.type)}
        self.keys = Seen(connection, "key", resource.key, self.parts)
        self.unique = {n: Seen(connection, n, [n], self.parts) for n, f in resource.fields.items() if f.unique and [n] != resource.key}
        self._register_codes()
        self._typed = self._typed_sql()
        self._conditions = " or ".join(f"({rule.sql})" for rule in self.rules) or "false"  # in WHERE an unknown one is as good as false

    def _register_codes(self) -> None:
        for rule in self.rules:
            if rule.allowed is not None:
                self.connection.register(rule.relation, pa.table({"v": pa.array(list(rule.allowed), pa.string())}))

    def _typed_sql(self) -> str:
        """Two levels, so that a text is trimmed once and cast once."""
        texts, values = ["n", "line"], ["*"]
        for name, declared in self.resource.fields.items():
            if name in self._ready and name in self.columns:
                more = [f"m__{name}", *(columns_of_point(name) if declared.type == "point" else [])]
                texts += [f'"t__{name}"', *(f'"{column}"' for column in more)]
            elif name in self.columns:
                texts.append(f'"t__{name}"')
            else:
                texts.append(f'null::varchar as "t__{name}"')
                texts += [f'false as "m__{name}"'] if name in self._ready else []
                texts += (
                    [f'null::{type} as "{column}"' for column, type in zip(columns_of_point(name), _POINT, strict=True)]
                    if declared.type == "point"
                    else []
                )
            if declared.type != "point":
                values.append(convert.value(_quoted(f"t__{name}"), declared) + f' as "{name}"')
        return f"select {', '.join(values)} from (select {', '.join(texts)} from cells)"

    def judge(self, chunk: Chunk) -> Judged:
        """What becomes of each row of a chunk; the accepted ones are remembered once `remember` is called."""
        connection = self.connection
        connection.register("cells", self._cells(chunk))
        connection.execute(f"create or replace temp table typed as {self._typed}")
        connection.unregister("cells")
        self._look_up()
        connection.execute(f"create or replace temp table bad as select n from typed where {self._conditions}")
        reasons = self._reasons()
        connection.execute("create or replace temp view sound as from typed anti join bad using (n)")
        repeated = self._repetitions(reasons)
        accepted, leaves = self._accepted([*reasons, *repeated])
        return Judged(accepted, leaves, len(repeated), [*self._refused(chunk, reasons), *_broken(chunk)])

    def _accepted(self, excluded: list[int]) -> tuple[Any, list[bytes]]:
        """The rows of `typed` but the excluded ones, in the order of the file, and their leaves."""
        connection = self.connection
        stored = ", ".join(f'"{column}"' for column in self.stored)
        connection.register("excluded", pa.table({"n": pa.array(excluded, pa.int64())}))
        rows = "typed anti join excluded using (n)" if excluded else "typed"
        found = connection.execute(f"select {stored}, line, chr(0) || {canonical(self.stored)} as leaf from {rows}").to_arrow_table()
        connection.unregister("excluded")
        lines = found["line"].to_numpy()
        if (np.diff(lines) < 0).any():  # DuckDB keeps the order of what it filters; nothing promises it for every plan
            found = found.take(pa.array(np.argsort(lines, kind="stable")))
        accepted = found.drop_columns("leaf")
        connection.register("accepted", accepted)
        return accepted, _leaves(found["leaf"])

    def remember(self, part: Path) -> None:
        """The accepted rows of the chunk judged last are staged in `part`."""
        for seen in (self.keys, *self.unique.values()):
            seen.add("accepted")
        self.parts.append(part)

    def _cells(self, chunk: Chunk) -> Any:
        count, cells = chunk.columns.num_rows, {}
        for name, heading in self.columns.items():
            declared = self.resource.fields[name]
            given = [chunk.columns.column(each) for each in ([heading] if isinstance(heading, str) else heading)]
            if declared.type == "point":
                cells.update(codes.prepared_point(name, declared, given, self.locate))
            elif code := codes.code_of(declared.type):
                cells.update(codes.prepared_code(name, declared, given[0], code))
            else:
                cells[f"t__{name}"] = trimmed(given[0], declared.missing)
        return pa.table({"n": pa.array(np.arange(count)), "line": chunk.line, **cells})

    def _look_up(self) -> None:
        for rule in self.rules:
            if rule.referred is not None:
                values = self.connection.execute(
                    f'select distinct "{rule.field}"::varchar as v from typed where "{rule.field}" is not null'
                ).to_arrow_table()
                missing = self.lookups.missing(*rule.referred, values["v"])
                self.connection.register(rule.relation, pa.table({"v": missing}))

    def _reasons(self) -> dict[int, list[Reason]]:
        """Every reason of every row that breaks a rule."""
        found: dict[int, list[Reason]] = {}
        if not self.connection.execute("select count(*) from bad").fetchone()[0]:
            return found
        asked = ", ".join(f"coalesce({rule.sql}, false) as q{number}" for number, rule in enumerate(self.rules))
        texts = ", ".join(f'"t__{name}"' for name in self.resource.fields)
        table = self.connection.execute(f"select n, {texts}, {asked} from typed semi join bad using (n) order by n").to_arrow_table()
        positions = table["n"].to_pylist()
        for number, rule in enumerate(self.rules):
            broken = table[f"q{number}"].to_numpy().nonzero()[0]
            column = table[f"t__{rule.field}"] if rule.field else None
            for row in broken:
                found.setdefault(positions[row], []).append(rule.reason(column[int(row)].as_py() if column is not None else None))
        return found

    def _repetitions(self, reasons: dict[int, list[Reason]]) -> list[int]:
        """Rows that stand twice: added to `reasons`, or given back where the resource drops them."""
        policy = self.resource.duplicates
        repeated = self.keys.repeated("sound", last=policy == "last")
        for name, seen in self.unique.items():
            for n in self._taken(name) | seen.repeated("sound").keys():
                reasons.setdefault(n, []).append({"field": name, "code": "unique", "value": self._text(n, name)})
        if policy == "quarantine":
            for n, line in repeated.items():
                reasons.setdefault(n, []).append(
                    {"field": self.resource.key[0] if len(self.resource.key) == 1 else "", "code": "key_repeated", "first": line}
                )
            return []
        return [n for n in repeated if n not in reasons]

    def _taken(self, name: str) -> set[int]:
        columns = ", ".join(f'"{column}"' for column in dict.fromkeys([*self.resource.key, name]))
        rows = self.connection.execute(f'select n, {columns} from sound where "{name}" is not null').to_arrow_table()
        return set(self.lookups.taken(self.resource, name, rows).to_pylist())

    def _text(self, n: int, name: str) -> str:
        row = self.connection.execute(f'select "t__{name}" from typed where n = ?', [n]).fetchone()
        return str(row[0])[:LONGEST] if row else ""

    def _refused(self, chunk: Chunk, reasons: Mapping[int, list[Reason]]) -> list[Refused]:
        if not reasons:
            return []
        rows = sorted(reasons)
        cells = chunk.columns.take(pa.array(rows)).to_pylist()
        raw = chunk.raw(rows)
        lines = chunk.line.take(pa.array(rows)).to_pylist()
        keys = self._keys_of(rows)
        return [
            Refused(line, text, {h: v for h, v in row.items() if v is not None}, reasons[n], keys.get(n))
            for n, line, text, row in zip(rows, lines, raw, cells, strict=True)
        ]  # fmt: skip

    def _keys_of(self, rows: list[int]) -> dict[int, tuple[Any, ...]]:
        self.connection.register("asked", pa.table({"n": pa.array(rows, pa.int64())}))
        names = ", ".join(f'"{name}"' for name in self.resource.key)
        present = " and ".join(f'"{name}" is not null' for name in self.resource.key)
        found = self.connection.execute(f"select n, {names} from typed semi join asked using (n) where {present}").fetchall()
        self.connection.unregister("asked")
        return {n: tuple(key) for n, *key in found}


def _leaves(column: Any) -> list[bytes]:
    """SHA-256 of each text of a column, taken from Arrow's own memory."""
    found: list[bytes] = []
    of = hashlib.sha256
    for chunk in column.chunks:
        if not len(chunk):
            continue
        _, ends, data = chunk.buffers()
        width = np.int64 if pa.types.is_large_string(chunk.type) else np.int32
        places = np.frombuffer(ends, width)[chunk.offset : chunk.offset + len(chunk) + 1].tolist()
        text = memoryview(data)
        found += [of(text[start:end]).digest() for start, end in pairwise(places)]
    return found


def _quoted(column: str) -> str:
    return f'"{column}"'


_POINT = ("double", "double", "varchar")


def columns_of_point(name: str) -> list[str]:
    return [f"{name}_longitude", f"{name}_latitude", f"{name}_division"]


def _broken(chunk: Chunk) -> list[Refused]:
    return [
        Refused(row.line, row.raw, {}, [{"field": "", "code": "broken", "says": reason} for reason in row.reasons]) for row in chunk.broken
    ]


Locator = Callable[[Any, Any], Any]


def nowhere(longitude: Any, latitude: Any) -> list[str]:
    """Every point in no division: where no place is known."""
    return [""] * len(longitude)
