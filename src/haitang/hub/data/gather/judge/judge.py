"""Judges chunks of one file against the fields and conditions of one resource, with DuckDB over Arrow columns.

Texts become values (`typed`) as far as a question needs them: every rule is asked of every row at once (`bad`), only for rows that break one it is
asked which (`reasons`), and rows that break none are given back as values, with the text of the leaf of each for the evidence block and what tells
repetitions.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from haitang.base import clock
from haitang.base.clock import now
from haitang.base.declarations import Declarations
from haitang.hub.data.catalogue.kinds import CodeTable, Resource
from haitang.hub.data.catalogue.tables import columns_of
from haitang.hub.data.gather.judge import codes, leaves, masks, standing
from haitang.hub.data.gather.judge.cells import trimmed
from haitang.hub.data.gather.judge.lookups import Lookups
from haitang.hub.data.gather.judge.rules import Rule, rules_of
from haitang.hub.data.gather.judge.seen import Seen, Staged
from haitang.hub.data.gather.judge.tables import PLACE, without
from haitang.hub.data.gather.judge.values import Values
from haitang.hub.data.gather.readers.types import Chunk
from haitang.support.security.evidence.columns import Digests, digests

Reason = dict[str, Any]
Columns = Mapping[str, str | Sequence[str]]
LONGEST = 200  # characters of a value that a reason quotes


@dataclass(frozen=True)
class Refused:
    """A row that is not accepted: its line, raw text, cells by heading, every reason, and its key where that is kept and could be read."""

    line: int
    raw: str
    cells: dict[str, str]
    reasons: list[Reason]
    key: tuple[Any, ...] | None = None


@dataclass
class Judged:
    """What became of a chunk. `accepted`: Arrow table of the resource's columns and `line`, in the order of the file; `texts`: what the leaf of each is made of;
    `hashes`: what tells repetitions."""

    accepted: Any
    texts: Any
    repeated: int = 0
    refused: list[Refused] = field(default_factory=list)
    hashes: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many are accepted."""
        return len(self.accepted)

    @cached_property
    def leaves(self) -> Digests:
        """The leaf hash of each accepted row."""
        return digests(self.texts)

    @property
    def faults(self) -> dict[str, Counter[str]]:
        """Field (empty: the row) -> reason -> rows."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for row in self.refused:
            for reason in row.reasons:
                found[str(reason.get("field", ""))][str(reason["code"])] += 1
        return found


class Judge:
    """`columns`: field -> heading; `parts`: the accepted parts that the run has staged already, and will go on to stage; `keep_keys`: whether to read the keys of
    rows that are not accepted."""

    def __init__(
        self, connection: Any, resource: Resource, columns: Columns, declarations: Declarations, lookups: Lookups, locate: codes.Locate,
        parts: list[Path] | None = None, *, keep_keys: bool = False,
    ) -> None:  # fmt: skip
        self.keep_keys = keep_keys
        self.connection, self.resource, self.columns, self.lookups, self.locate = connection, resource, columns, lookups, locate
        self.staged = Staged(parts if parts is not None else [])
        today = now().astimezone(clock.CHINA).date()
        self.rules: list[Rule] = rules_of(resource, lambda id: declarations.get(CodeTable, id).valid_on(today))
        self.stored = columns_of(resource)
        self.keys = Seen(connection, "key", resource.key, self.staged)
        self.unique = {n: Seen(connection, n, [n], self.staged) for n, f in resource.fields.items() if f.unique and [n] != resource.key}
        self.values = Values(connection, resource, list(columns), self.rules, {seen.column: seen.hash for seen in self._each_seen()})
        self.questions = self.values.questions
        self._register_codes()

    def _register_codes(self) -> None:
        for rule in self.rules:
            if rule.allowed is not None and not rule.mask:
                self.connection.register(rule.relation, pa.table({"v": pa.array(list(rule.allowed), pa.string())}))

    def judge(self, chunk: Chunk, cells: Any = None) -> Judged:
        """What becomes of each row of a chunk. `cells`: prepared before."""
        cells = self.prepared(chunk) if cells is None else cells
        self.questions.give("cells", cells)
        self._look_up()
        found, bad = self.values.of(cells)
        reasons = self._reasons(cells, bad)
        repeated = self._repetitions(cells, found, reasons)
        accepted = without(found, [*(reasons.keys() - set(bad.tolist())), *repeated])
        refused = [*self._refused(chunk, cells, reasons), *_broken(chunk)]
        self.questions.give("cells", cells.schema.empty_table())
        return Judged(
            accepted.select([*self.stored, "line"]),
            leaves.texts(accepted, self.stored),
            len(repeated),
            refused,
            {seen.column: _hashes(accepted, seen.column) for seen in self._each_seen()},
        )

    def _each_seen(self) -> list[Seen]:
        return [self.keys, *self.unique.values()]

    def remember(self, judged: Judged) -> None:
        """The accepted rows of a chunk are known from now on: they will be staged."""
        if judged.rows:
            for seen in self._each_seen():
                seen.add(judged.hashes[seen.column])
            self.staged.unwritten.append(judged.accepted.select([*dict.fromkeys(["line", *self.resource.key, *self.unique])]))

    def written(self, part: Path) -> None:
        """The accepted rows of the first chunk with some that is remembered and was not told of yet stand in `part`."""
        self.staged.parts.append(part)
        self.staged.unwritten.pop(0)

    def prepared(self, chunk: Chunk) -> Any:
        """The cells of a chunk as an Arrow table: trimmed, codes in their normal form, with masks of what stands and what is faulty. Another thread may do it meanwhile."""
        count, cells = chunk.columns.num_rows, {}
        otherwise = np.zeros(count, bool)
        for name, heading in self.columns.items():
            declared = self.resource.fields[name]
            given = [chunk.columns.column(each) for each in ([heading] if isinstance(heading, str) else heading)]
            if declared.type == "point":
                cells.update(codes.prepared_point(name, declared, given, self.locate))
            elif code := codes.code_of(declared.type):
                cells.update(codes.prepared_code(name, declared, given[0], code))
            else:
                cells[f"t__{name}"] = text = trimmed(given[0], declared.missing)
                if declared.type in standing.TYPES:
                    stands = standing.stands(text, declared)
                    otherwise |= ~stands & text.is_valid().to_numpy(zero_copy_only=False)
                    cells[standing.STANDS + name] = pa.array(stands)
                    cells[standing.VALUE + name] = standing.values(text, stands, declared)
        for rule in self.values.answered:
            if rule.mask not in cells:
                cells[rule.mask] = masks.answer(rule, cells[f"t__{rule.field}"], self.resource.fields[rule.field])
        return pa.table(
            {
                PLACE: pa.array(np.arange(count)),
                "line": chunk.line,
                masks.FAULTY: masks.faulty(cells, self.values.answered, count),
                standing.OTHERWISE: pa.array(otherwise),
                **cells,
            }
        )

    def _look_up(self) -> None:
        for rule in self.rules:
            if rule.referred is not None:
                values = self.questions.ask(f'select distinct "{rule.field}"::varchar as v from typed where "{rule.field}" is not null')
                missing = self.lookups.missing(*rule.referred, values.to_arrow_table()["v"])
                self.questions.give(rule.relation, pa.table({"v": missing.cast(pa.string())}))

    def _reasons(self, cells: Any, bad: Any) -> dict[int, list[Reason]]:
        """Every reason of every row that breaks a rule."""
        found: dict[int, list[Reason]] = {}
        if not len(bad):
            return found
        asked = ", ".join(f"coalesce({rule.sql}, false) as q{number}" for number, rule in enumerate(self.rules))
        texts = ", ".join(f'"t__{name}"' for name in self.resource.fields)
        with self.questions.only(cells, np.sort(bad)):
            table = self.questions.ask(f"select {PLACE}, {texts}, {asked} from typed order by {PLACE}").to_arrow_table()
        for number, rule in enumerate(self.rules):
            broken = table.select([PLACE, f"t__{rule.field}"] if rule.field else [PLACE, PLACE]).filter(table[f"q{number}"])
            quoted = broken[1].to_pylist() if rule.field else [None] * len(broken)
            for n, text in zip(broken[0].to_pylist(), quoted, strict=True):
                found.setdefault(n, []).append(rule.reason(text))
        return found

    def _repetitions(self, cells: Any, found: Any, reasons: dict[int, list[Reason]]) -> list[int]:
        """Rows that stand twice: added to `reasons`, or given back where the resource drops them."""
        policy = self.resource.duplicates
        repeated = self._repeated(self.keys, cells, found, last=policy == "last")
        for name, seen in self.unique.items():
            for n in self._taken(name, found) | self._repeated(seen, cells, found).keys():
                reasons.setdefault(n, []).append({"field": name, "code": "unique", "value": self._text(cells, n, name)})
        if policy == "quarantine":
            for n, line in repeated.items():
                reasons.setdefault(n, []).append(
                    {"field": self.resource.key[0] if len(self.resource.key) == 1 else "", "code": "key_repeated", "first": line}
                )
            return []
        return [n for n in repeated if n not in reasons]

    def _repeated(self, seen: Seen, cells: Any, found: Any, *, last: bool = False) -> dict[int, int]:
        present = found.filter(pc.is_valid(found[seen.column])) if found[seen.column].null_count else found
        suspects = seen.suspects(_hashes(present, seen.column), last=last)
        if not len(suspects):
            return {}
        with self.questions.only(cells, present[PLACE].to_numpy()[suspects]):
            named = ", ".join(f'"{column}"' for column in seen.columns)
            rows = self.questions.ask(f"select {PLACE}, line, {named} from typed").to_arrow_table()
        return seen.proved(rows, last=last)

    def _taken(self, name: str, found: Any) -> set[int]:
        columns = dict.fromkeys([PLACE, *self.resource.key, name])
        rows = found.select(list(columns)).filter(pc.is_valid(found[name]))
        return set(self.lookups.taken(self.resource, name, rows).to_pylist())

    def _text(self, cells: Any, n: int, name: str) -> str:
        return str(cells[f"t__{name}"][n].as_py())[:LONGEST]

    def _refused(self, chunk: Chunk, cells: Any, reasons: Mapping[int, list[Reason]]) -> list[Refused]:
        if not reasons:
            return []
        rows = sorted(reasons)
        told = chunk.columns.take(pa.array(rows)).to_pylist()
        raw = chunk.raw(rows)
        lines = chunk.line.take(pa.array(rows)).to_pylist()
        keys = self._keys_of(cells, rows) if self.keep_keys else {}
        return [
            Refused(line, text, {h: v for h, v in row.items() if v is not None}, reasons[n], keys.get(n))
            for n, line, text, row in zip(rows, lines, raw, told, strict=True)
        ]  # fmt: skip

    def _keys_of(self, cells: Any, rows: list[int]) -> dict[int, tuple[Any, ...]]:
        names = ", ".join(f'"{name}"' for name in self.resource.key)
        present = " and ".join(f'"{name}" is not null' for name in self.resource.key)
        with self.questions.only(cells, rows):
            found = self.questions.ask(f"select {PLACE}, {names} from typed where {present}").fetchall()
        return {n: tuple(key) for n, *key in found}


def _hashes(table: Any, column: str) -> Any:
    return table[column].drop_null().to_numpy()


def _broken(chunk: Chunk) -> list[Refused]:
    return [
        Refused(row.line, row.raw, {}, [{"field": "", "code": "broken", "says": reason} for reason in row.reasons]) for row in chunk.broken
    ]


Locator = Callable[[Any, Any], Any]


def nowhere(longitude: Any, latitude: Any) -> list[str]:
    """Every point in no division: where no place is known."""
    return [""] * len(longitude)
