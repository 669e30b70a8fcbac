"""Pages of the catalogue: what data there is, and one resource with everything about each field on one row."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from haitang.base.actions import NOT_ALLOWED, Actor, may, require
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import entry
from haitang.base.shell.tables import Column, Empty, Filter, Table
from haitang.base.shell.templatetags.shell import status, when
from haitang.base.shell.views import page, show
from haitang.base.text import T, translate
from haitang.hub.data.catalogue import queries as catalogue
from haitang.hub.data.catalogue import reads, uses
from haitang.hub.data.catalogue.kinds import LEVELS, SHARING, TYPES, UPDATES, CodeTable, Resource
from haitang.hub.data.catalogue.tables import columns_of_field
from haitang.hub.data.gather import queries
from haitang.hub.data.gather.kinds import Source
from haitang.hub.data.gather.models import Run
from haitang.hub.data.lake import queries as lake
from haitang.hub.data.lake.connection import NOT_READY

entry("resources", title=T("数据资源"), url="/resources", icon="database", group="know", order=10, permission=catalogue.READ)

Row = dict[str, Any]
SAMPLE = 10  # rows shown


def _rows(actor: Actor) -> list[Row]:
    newest: dict[str, Run] = {}
    for run in Run.objects.filter(state=Run.State.DONE, root__isnull=True).order_by("finished_at"):
        newest[run.resource] = run
    provided = catalogue.providers()
    return [
        {"resource": r, "provider": provided[r.id], "run": newest.get(r.id)}
        for r in in_force().all(Resource).values()
        if catalogue.seen_by(actor, r)
    ]


def _title(row: Row) -> SafeString:
    resource = row["resource"]
    mark = format_html(' <span class="status status-notice">{}</span>', translate("示例数据")) if resource.synthetic else ""
    if resource.provisional:
        mark = format_html('{} <span class="status status-notice">{}</span>', mark, translate("暂定"))
    return format_html('<a href="/resources/{}">{}</a>{}', resource.id, translate(resource.title), mark)


def _fresh(row: Row) -> Any:
    if row["run"] is None:
        return status("nodata")
    return status("stale") if queries.is_stale(row["resource"], row["run"]) else when(row["run"].finished_at)


COLUMNS = [
    Column("title", T("资源"), lambda r: r["resource"].title, _title, sort="title", wide=True),
    Column("id", T("编号"), lambda r: r["resource"].id, sort="id"),
    Column(
        "provider",
        T("提供单位"),
        lambda r: r["provider"].title if r["provider"] else "",
        lambda r: translate(r["provider"].title) if r["provider"] else "—",
        sort="provider",
    ),
    Column(
        "sharing",
        T("共享方式"),
        lambda r: SHARING[r["resource"].sharing],
        lambda r: translate(SHARING[r["resource"].sharing]),
        sort="sharing",
    ),
    Column("update", T("更新周期"), lambda r: UPDATES[r["resource"].update], lambda r: translate(UPDATES[r["resource"].update])),
    Column("fields", T("字段"), lambda r: len(r["resource"].fields), numeric=True, sort="fields"),
    Column("gathered", T("最近更新"), lambda r: r["run"].finished_at if r["run"] else None, _fresh),
]


def _has(row: Row, text: str) -> bool:
    resource = row["resource"]
    words = [resource.id, resource.title, resource.summary or "", resource.theme or "", *(f.title for f in resource.fields.values())]
    return any(text.lower() in word.lower() or text.lower() in translate(word).lower() for word in words)


FILTERS = [
    Filter("q", T("名称、字段或编号"), lambda rows, text: [row for row in rows if _has(row, text)], kind="text"),
    Filter("provider", T("提供单位"), lambda rows, value: [row for row in rows if row["provider"] and row["provider"].pk == value], choices=lambda: {
        found.pk: found.title for id, found in catalogue.providers().items() if found and not in_force().get(Resource, id).provisional}),
    Filter("sharing", T("共享方式"), lambda rows, value: [row for row in rows if row["resource"].sharing == value], choices=lambda: SHARING),
    Filter("stale", T("过期或无数据"), lambda rows, value: [row for row in rows if row["run"] is None or queries.is_stale(row["resource"], row["run"])], kind="flag"),
]  # fmt: skip


@require_GET
@page(catalogue.READ)
def resources(request: HttpRequest) -> HttpResponse:
    """The catalogue, by search and filters."""
    nothing = Empty(T("还没有声明数据资源"), T("在应用的 resources/ 下声明后，用 haitang apply 生效。"))
    table = Table(request, "resources", rows=_rows(reader(request)), columns=COLUMNS, filters=FILTERS, unfiltered=nothing)
    return table.response("gather/resources.html", {"may_start": _may_start(reader(request))})


def _may_start(actor: Actor) -> bool:
    return may(actor, "gather.start", actor)


@require_GET
@page(catalogue.READ)
def resource(request: HttpRequest, id: str) -> HttpResponse:
    """One resource: fields with type, level, quality and lineage; freshness, sample, runs, who may use it."""
    found, actor = in_force().get(Resource, id), reader(request)
    if found.provisional:
        require(actor, catalogue.PROVISIONAL, catalogue.Whose(catalogue.provider(found)))
    run = queries.last_done(id)
    runs = queries.visible(actor).filter(resource=id)[:10]
    context = {
        "resource": found, "provider": catalogue.provider(found), "run": run, "stale": queries.is_stale(found, run), "runs": runs, "fields": _fields(found, run),
        "sharing": SHARING[found.sharing], "update": UPDATES[found.update], "rows": _asked(lambda: reads.count(found)), "may_start": _may_start(actor),
        "sample": _sample(actor, found) if may(actor, catalogue.SAMPLE) else None, "readers": readers(catalogue.SAMPLE), "conditions": found.checks,
        "row_readers": readers(lake.READ), "sources": [source for source in in_force().all(Source).values() if source.resource == id],
    }  # fmt: skip
    return show(request, "gather/resource.html", context)


def _asked(ask: Any) -> Any:
    """What the lake says; nothing before it exists."""
    try:
        return ask()
    except HaitangError:
        return None


@dataclass(frozen=True)
class Sample:
    """The rows that were written last, as this reader may see them. `heads`: title of a column, and whether only a mask of it is shown."""

    heads: list[tuple[str, bool]]
    rows: list[list[Any]]


def _sample(actor: Actor, found: Resource) -> Sample | None:
    """None where the reader may not read its rows."""
    asked = reads.Asked(newest=True, size=SAMPLE)
    try:
        answer = reads.read(actor, found, asked, way="GET /resources/{id}")
    except HaitangError as reason:
        if reason.kind is NOT_READY:
            return Sample([], [])
        if reason.kind is NOT_ALLOWED:
            return None
        raise
    titles = columns_of(found)
    columns = list(answer.rows[0]) if answer.rows else []
    return Sample([(titles[column], column in answer.masked) for column in columns], [list(row.values()) for row in answer.rows])


def columns_of(found: Resource) -> dict[str, str]:
    """Column -> its title; a point has three."""
    titles: dict[str, str] = {}
    for name, field in found.fields.items():
        columns = list(columns_of_field(name, field))
        parts = [f" · {translate(part)}" for part in (T("经度"), T("纬度"), T("区划"))] if len(columns) > 1 else [""]
        titles.update({column: f"{translate(field.title)}{part}" for column, part in zip(columns, parts, strict=True)})
    return titles


def _fields(found: Resource, run: Run | None) -> list[Row]:
    used = uses.of(found.id)
    return [
        {
            "name": name, "field": field, "type": TYPES[field.type], "level": LEVELS[field.classified], "raised": field.classified not in ("public", "general"),
            "key": name in found.key, "quality": queries.quality(run, name, field), "rules": _rules(field), "headings": _headings(run, name), "uses": used.get(name, []),
        }
        for name, field in found.fields.items()
    ]  # fmt: skip


def _headings(run: Run | None, name: str) -> list[str]:
    """The columns of the file that a field came from."""
    given = run.columns.get(name, []) if run else []
    return [given] if isinstance(given, str) else list(given)


def _rules(field: Any) -> list[str]:
    told = [translate("必填")] if field.required else []
    told += [translate("唯一")] if field.unique else []
    if field.range is not None:
        low, high = ("" if end is None else f"{end:g}" if isinstance(end, float) else str(end) for end in field.range)
        told.append(f"{low}–{high}" if low and high else f"≥ {low}" if low else f"≤ {high}")
    if field.length is not None:
        told.append(translate("{low}–{high} 个字", low=field.length[0], high=field.length[1]))
    if field.pattern is not None:
        told.append(field.pattern)
    if field.code_table is not None:
        table = in_force().all(CodeTable).get(field.code_table)
        told.append(translate(table.title) if table else field.code_table)
    if field.references is not None:
        told.append(f"→ {field.references}")
    return told


def readers(permission: str) -> list[str]:
    """The roles that hold a permission."""
    from haitang.support.security.policy.decide import who_may

    return who_may(permission)
