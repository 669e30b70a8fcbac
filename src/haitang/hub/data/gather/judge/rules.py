"""The rules of a resource as SQL conditions over `typed`: true where a row breaks them."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from haitang.hub.data.catalogue import conditions
from haitang.hub.data.catalogue.kinds import TYPES, CodeEntry, Resource, ResourceField
from haitang.hub.data.gather.judge import codes, convert
from haitang.hub.data.gather.judge.shapes import shaped
from haitang.hub.data.gather.judge.standing import STANDS
from haitang.hub.data.lake.connection import quoted

LONGEST = 200
Codes = Callable[[str], Mapping[str, CodeEntry]]


@dataclass(frozen=True)
class Rule:
    """One rule. `sql` is true where a row breaks it; `data` goes into the reason; `allowed` or what is missing of `referred` stands in `relation`. `mask`: the column of the
    cells that answers it, where their text alone does (`masks`)."""

    field: str
    code: str
    sql: str
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    allowed: Mapping[str, Any] | None = None
    referred: tuple[str, str] | None = None
    standard: str = ""
    mask: str = ""

    @property
    def relation(self) -> str:
        return f"{self.code}__{self.field}"

    def reason(self, text: str | None) -> dict[str, Any]:
        """The reason as it is kept, quoting the text of the cell."""
        found: dict[str, Any] = {"field": self.field, "code": self.code, **self.data}
        if text is not None and self.field:
            found["value"] = text[:LONGEST]
        if self.standard and (code := codes.code_of(self.standard)):
            found["says"] = code.fault(text or "") or code.title
        return found


def rules_of(resource: Resource, table: Codes) -> list[Rule]:
    """Every rule, in the order of the declaration; uniqueness is judged apart."""
    found: list[Rule] = []
    for name, declared in resource.fields.items():
        found += _of_field(name, declared, name in resource.key, table)
    for condition in resource.checks:
        says = condition.says or condition.must
        found.append(Rule("", "condition", f"({conditions.sql(condition.must)}) is false", {"says": says}))
    return found


def _of_field(name: str, declared: ResourceField, key: bool, table: Codes) -> Iterable[Rule]:
    t, v, is_text = f'"t__{name}"', f'"{name}"', declared.type not in convert.CONVERTED
    if declared.required or key:
        yield _of_text(Rule(name, "required", ""))
    if declared.type == "point":
        yield Rule(name, "outside", f'"m__{name}"', mask=f"m__{name}")
        return
    if codes.code_of(declared.type):
        yield Rule(name, "code", f'"m__{name}"', standard=declared.type, mask=f"m__{name}")
    elif wrong := convert.misfit(t, v, f'"{STANDS}{name}"', declared):
        yield Rule(name, "type", wrong, {"type": TYPES[declared.type]})
    if declared.range is not None:
        yield Rule(name, "range", _outside(v, declared), dict(zip(("low", "high"), declared.range, strict=True)))
    if declared.length is not None:
        low, high = declared.length
        rule = Rule(name, "length", f"length({v}) not between {low} and {high}", {"low": low, "high": high})
        yield _of_text(rule) if is_text else rule
    if declared.pattern is not None:
        rule = Rule(name, "pattern", f"not regexp_full_match({v}, {quoted(declared.pattern)})")
        yield _of_text(rule) if shaped(declared) else rule
    if declared.code_table is not None:
        rule = Rule(name, "code_table", "", {"table": declared.code_table}, allowed=table(declared.code_table))
        sql = f"({v} is not null and {v}::varchar not in (select v from {rule.relation}))"
        yield _of_text(rule) if is_text else dataclasses.replace(rule, sql=sql)
    if declared.references is not None:
        resource, _, referred = declared.references.partition(".")
        sql = f"({v}::varchar in (select v from references__{name}))"
        yield Rule(name, "references", sql, {"referred": declared.references}, referred=(resource, referred))


def _of_text(rule: Rule) -> Rule:
    mask = f"{rule.code}__{rule.field}"
    return dataclasses.replace(rule, sql=f'"{mask}"', mask=mask)


def _outside(v: str, declared: ResourceField) -> str:
    assert declared.range is not None
    kind = {"date": "date", "datetime": "timestamptz"}.get(declared.type)
    zone = "+08:00" if declared.type == "datetime" else ""
    written = [None if end is None else f"{quoted(f'{end}{zone}')}::{kind}" if kind else _number(end) for end in declared.range]
    return " or ".join(f"{v} {sign} {end}" for sign, end in zip("<>", written, strict=True) if end is not None)


def _number(end: object) -> str:
    """A whole number without decimals: it is compared with whole numbers as one."""
    return str(int(end)) if isinstance(end, float) and end.is_integer() else str(end)
