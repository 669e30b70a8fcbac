"""GET /api/data/…: the lake as JSON, without Django in the way. The front mounts `routes`.

Permission: `data.read`, of the asker whom the front's door puts into the scope (`haitang.base.asker`). Without one nothing is answered.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import duckdb
import msgspec
import sqlglot
from sqlglot import exp
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from haitang.base.actions import permissions
from haitang.base.asker import asker_who_may
from haitang.base.errors import HaitangError, error
from haitang.hub.data.lake import queries
from haitang.hub.data.lake.as_json import columns
from haitang.support.infrastructure.twin.queries import latest_as_json

BAD_PARAMETER = error("lake.bad_parameter", 400, "参数 {name} 不可用：{reason}")

OF_RESOURCES = "resource_"  # tables of the catalogue, whose fields have levels
BY_RESOURCE = error("lake.by_resource", 403, "数据资源的记录按字段级别脱敏，请用 /api/resources/{id}/rows 读取。")

MOST = 10_000  # rows in one answer


def _json(value: Any, status: int = 200) -> Response:
    """`value` as JSON; bytes are JSON already."""
    return Response(value if isinstance(value, bytes) else msgspec.json.encode(value), status, media_type="application/json")


def _answer(read: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that runs `read` in a thread, for an asker who may read data."""

    async def endpoint(request: Request) -> Response:
        try:
            asker_who_may(request.scope, queries.READ, permissions[queries.READ])
            _plain(request)
            return _json(await run_in_threadpool(read, request))
        except HaitangError as failure:
            return _json({"error": failure.code, "message": failure.sentence}, failure.status)

    return endpoint


def _plain(request: Request) -> None:
    """PostgreSQL and DuckDB know no text with NUL."""
    for name, value in [*request.query_params.multi_items(), *request.path_params.items()]:
        if "\0" in name + value:
            raise BAD_PARAMETER(name=name.replace("\0", ""), reason="含有不可见字符")


def _text(request: Request, name: str) -> str:
    if value := request.query_params.get(name):
        return value
    raise BAD_PARAMETER(name=name, reason="必填")


def _time(request: Request, name: str) -> datetime:
    try:
        value = datetime.fromisoformat(_text(request, name))
    except ValueError:
        raise BAD_PARAMETER(name=name, reason="写成 2026-03-01T08:00:00+08:00") from None
    if value.tzinfo is None:
        raise BAD_PARAMETER(name=name, reason="缺少时区，写成 2026-03-01T08:00:00+08:00")
    return value


def _limit(request: Request) -> int:
    written = request.query_params.get("limit", "1000")
    if not (written.isascii() and written.isdigit()) or not 0 < int(written) <= MOST:
        raise BAD_PARAMETER(name="limit", reason=f"写 1 到 {MOST}")
    return int(written)


def series(request: Request) -> bytes:
    """Columns of readings and the table that they were read from: `thing=&property=&statistic=&start=&end=[&bucket=]` one series.

    Without `property` every reading of the thing, without `thing` one row a bucket over all things (`bucket=hour of raw`: of the readings as they were stored).
    """
    asked, start, end = request.query_params, _time(request, "start"), _time(request, "end")
    bucket: Any = asked.get("bucket")
    if "property" not in asked:
        return columns(queries.readings_of(_text(request, "thing"), start, end), table="observations")
    property, statistic = _text(request, "property"), _text(request, "statistic")
    if "thing" not in asked:
        return columns(queries.of_all(property, statistic, start, end, bucket or "hour"))
    found = queries.series(_text(request, "thing"), property, statistic, start, end, bucket)
    return columns(found, table=queries.table_for(statistic, start, end, bucket))


def twin(request: Request) -> bytes:
    """?thing=&thing=…[&property=…][&statistic=]: the newest readings."""
    asked = request.query_params
    return latest_as_json(asked.getlist("thing") or None, asked.getlist("property") or None, asked.get("statistic"))


def table(request: Request) -> list[dict[str, Any]]:
    """?limit=[&sort=-hour][&column=value…]: rows of a lake table or, by its id, of a derivation."""
    name = request.path_params["name"]
    if name.lower().startswith(OF_RESOURCES):
        raise BY_RESOURCE(id=name[len(OF_RESOURCES) :])
    filters = {key: value for key, value in request.query_params.items() if key not in ("limit", "sort")}
    sort = request.query_params.get("sort", "")
    chosen = exp.select("*").from_(exp.to_identifier(name, quoted=True)).limit(_limit(request))
    for column in filters:
        chosen = chosen.where(f"{_quoted(column)}::varchar = ?", dialect="duckdb")
    if sort:
        chosen = chosen.order_by(exp.Ordered(this=exp.column(sort.lstrip("-"), quoted=True), desc=sort.startswith("-")))
    try:
        return queries.query(chosen.sql(dialect="duckdb"), list(filters.values()))
    except (duckdb.Error, sqlglot.errors.SqlglotError):
        raise BAD_PARAMETER(name="sort", reason=f"表 {name} 没有其中的列") from None


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


routes = [
    Route("/series", _answer(series)),
    Route("/twin", _answer(twin)),
    Route("/tables/{name}", _answer(table)),
]
