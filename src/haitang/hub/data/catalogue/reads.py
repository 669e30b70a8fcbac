"""The one way to the rows of a resource for a reader: which fields, which rows, what is masked, and the evidence of it.

Policies decide (`data.read`): once for each level of the fields, and once for the rows as a condition of the query. Filters, sorting and the count see only what the reader
may see: a masked field can neither be filtered nor sorted by, or its values would leak by trying.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from dataclasses import field as written
from typing import Any

from haitang.base.actions import Actor, acting, noting, require
from haitang.base.errors import error
from haitang.hub.data.catalogue import kept, paging
from haitang.hub.data.catalogue.kinds import Resource, ResourceField
from haitang.hub.data.catalogue.masks import masked
from haitang.hub.data.catalogue.queries import PROVISIONAL, provider, provider_role
from haitang.hub.data.catalogue.tables import columns_of, columns_of_field, name_of
from haitang.hub.data.lake import queries as lake
from haitang.hub.data.lake.versions import version as lake_version
from haitang.support.security.evidence.actions import answer_digest, record_access
from haitang.support.security.evidence.subjects import KINDS
from haitang.support.security.policy.engine import Circumstances, engine
from haitang.support.security.policy.entities import LEVELS as NUMBERS
from haitang.support.security.policy.entities import Subject
from haitang.support.security.policy.rows import rows

MASKED = error("catalogue.masked", 403, "字段“{field}”对您是脱敏的，不能用来筛选或排序。")
NO_FIELD = error("catalogue.no_field", 400, "资源“{resource}”没有字段“{field}”。可用的有：{known}")
BAD_VALUE = error("catalogue.bad_value", 400, "字段“{field}”不能与“{value}”比较。")
BAD_PAGE = error("catalogue.bad_page", 400, "页码从 1 开始，每页最多 {most} 行。")
MOST = 1000


@dataclass(frozen=True)
class Asked:
    """`equal`, `least` and `most`: column -> value as text. `sort`: a column, `-` before it for descending. `newest`: what was written last comes first."""

    equal: Mapping[str, str] = written(default_factory=dict)
    least: Mapping[str, str] = written(default_factory=dict)
    most: Mapping[str, str] = written(default_factory=dict)
    sort: str = ""
    newest: bool = False
    page: int = 1
    size: int = 100


@dataclass(frozen=True)
class Answer:
    """`rows` by column, `encoded` as the JSON whose digest the evidence keeps; `masked`: columns of which only a mask is shown; `total`: all rows that meet the filters; `evidence`: the access's record."""

    rows: Sequence[Mapping[str, Any]]
    total: int
    masked: list[str]
    evidence: str | None = None
    encoded: bytes = b"[]"


def subject(resource: Resource, level: str = "general") -> Subject:
    """A resource at a level, as policies see it."""
    return Subject(
        ref=f"resource:{resource.id}", kind="resource", organization=_provided_by(resource), level=NUMBERS[level], sharing=resource.sharing
    )  # fmt: skip


def _provided_by(resource: Resource) -> str | None:
    """As policies know organizations, which need not ask the table in each request."""
    role = provider_role(resource)
    if role:
        return engine().filling(role)
    proposer = provider(resource)
    return proposer.pk if proposer else None


def open_columns(actor: Actor, resource: Resource, around: Circumstances, seen: Subject | None = None) -> dict[str, bool]:
    """Column -> whether the reader sees it in clear."""
    decide = engine().verdict
    seen = seen or subject(resource)
    there = {field.classified for field in resource.fields.values()}
    opens = {level: decide(actor, lake.READ, replace(seen, level=NUMBERS[level]), around).allowed for level in there}
    return {column: opens[field.classified] for column, field in _fields(resource).items()}


def read(actor: Actor, resource: Resource, asked: Asked, *, way: str, purpose: str = "", grant: str = "") -> Answer:
    """A page of rows. Raises base.not_allowed, MASKED, NO_FIELD, BAD_VALUE, BAD_PAGE. `grant` is the caller's to have verified."""
    seen = subject(resource)
    require(actor, lake.READ, seen)
    if resource.provisional:
        require(actor, PROVISIONAL, seen)
    if not (asked.page >= 1 and 1 <= asked.size <= MOST):
        raise BAD_PAGE(most=MOST)
    around = Circumstances(purpose, grant)
    clear = open_columns(actor, resource, around, seen)
    where, values = _where(actor, resource, seen, asked, clear, around)
    hidden = sorted(column for column, open in clear.items() if not open)
    version = lake_version(name_of(resource.id))
    if version is None:
        return Answer([], 0, hidden)
    there = _columns_there(name_of(resource.id), version.columns)
    page, total = _asked_of_lake(resource, asked, clear, there, paging.Rows(name_of(resource.id), version.rows, where, tuple(values)))
    answer = Answer(page.rows, total, hidden, encoded=page.encoded)
    return _evident(actor, resource, answer, clear, way=way, around=around)


def count(resource: Resource) -> int | None:
    """How many current rows a resource has, whoever may see them; None before anything was gathered."""
    version = lake_version(name_of(resource.id))
    return None if version is None else paging.total(paging.Rows(name_of(resource.id), version.rows))


def _columns_there(table: str, version: int) -> set[str]:
    key = paging.Rows(table, version).key("columns")
    return kept.counts.get(key, lambda: {row["column_name"] for row in lake.dicts(f"describe lake.{table}")})


def _where(
    actor: Actor, resource: Resource, seen: Subject, asked: Asked, clear: Mapping[str, bool], around: Circumstances
) -> tuple[str, list[Any]]:
    fixed = {"ref": seen.ref, "kind": seen.kind, "organization": seen.organization, "level": seen.level, "sharing": seen.sharing}
    division = _division_column(resource)
    text, values = rows(actor, lake.READ, around).sql({"division": division} if division else {}, fixed)
    parts, types = [] if text == "true" else [text], columns_of(resource)
    for op, given in (("=", asked.equal), (">=", asked.least), ("<=", asked.most)):
        for column, value in given.items():
            parts.append(f'"{_usable(resource, column, clear)}" {op} cast(? as {types[column]})')
            values.append(value)
    if asked.sort:
        _usable(resource, asked.sort.lstrip("-"), clear)
    return " and ".join(parts) or "true", values


def _usable(resource: Resource, column: str, clear: Mapping[str, bool]) -> str:
    if column not in clear:
        raise NO_FIELD(resource=resource.id, field=column[:64], known="、".join(clear))
    if not clear[column]:
        raise MASKED(field=column)
    return column


def _fields(resource: Resource) -> dict[str, ResourceField]:
    """Column -> the field that it belongs to."""
    return {column: field for name, field in resource.fields.items() for column in columns_of_field(name, field)}


def _division_column(resource: Resource) -> str | None:
    """The column that says in which division a row is: the first field of type division, or a point's."""
    for name, field in resource.fields.items():
        if field.type in ("division", "point"):
            return f'"{name}"' if field.type == "division" else f'"{name}_division"'
    return None


def _asked_of_lake(
    resource: Resource, asked: Asked, clear: Mapping[str, bool], there: Collection[str], rows: paging.Rows
) -> tuple[paging.Page, int]:
    import duckdb

    types, fields = columns_of(resource), _fields(resource)
    shown = [
        f'"{column}"' if clear[column] else f'{masked(column, types[column], fields[column])} as "{column}"' for column in types if column in there
    ]  # fmt: skip
    by = f'"{asked.sort.lstrip("-")}" {"desc" if asked.sort.startswith("-") else "asc"}' if asked.sort else ""
    try:
        page = paging.page(rows, ", ".join(shown), paging.Order(by, asked.newest), (asked.page - 1) * asked.size, asked.size)
        return page, paging.total(rows)
    except duckdb.ConversionException as reason:
        raise BAD_VALUE(field="、".join({*asked.equal, *asked.least, *asked.most}), value=str(reason)[:80]) from None


def _evident(actor: Actor, resource: Resource, answer: Answer, clear: Mapping[str, bool], *, way: str, around: Circumstances) -> Answer:
    """Leave evidence where a field above general level was shown in clear, or a grant was used."""
    fields = _fields(resource)
    above = [column for column, field in fields.items() if clear[column] and NUMBERS[field.classified] > NUMBERS["general"]]
    if not (above or around.grant):
        return answer
    digest = answer_digest(answer.encoded)
    of_whom = [(column, fields[column].type) for column in above if fields[column].type in KINDS]
    subjects = (
        [(type, str(row[column])) for row in answer.rows for column, type in of_whom if row.get(column) is not None] if of_whom else []
    )
    with acting(actor) if subjects else nullcontext(noting(actor)) as act:  # whose data it was stands in a second statement
        ref = record_access(
            act=act, resource=resource.id, fields=sorted(fields), rows=len(answer.rows), answer=digest, purpose=around.purpose, way=way,
            grant=around.grant or None, on_behalf_of=f"organization:{actor.organization}" if actor.organization else None, subjects=subjects,
        )  # fmt: skip
    return replace(answer, evidence=ref)
