"""`GET /api/data/observations/openapi.json`: the listener as OpenAPI 3.1, made from what it runs: its structs, its limits, the errors that it raises."""

from collections import defaultdict
from functools import cache
from types import ModuleType
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from haitang import __version__
from haitang.base.actions import NOT_ALLOWED
from haitang.base.errors import ErrorKind
from haitang.base.text import T, translate
from haitang.support.infrastructure.listeners.elements import Element
from haitang.support.infrastructure.listeners.http import body, decoding, ingest, room
from haitang.support.infrastructure.listeners.http.answers import PartlyStored, Problem, Stored

PATH = "/observations"
LINK = f'</api/data{PATH}/openapi.json>; rel="service-desc"; type="application/json"'  # RFC 8631
TITLE = T("海棠设备接入（HTTP）")
ABOUT = T(
    "设备以自己的凭据上报观测值，落盘后才应答。同一消息编号重发得到同一答复，不会重复入库；没有答复或答复为 429、503 时，用同一编号重发。"
)
SUMMARY = T("上报一台设备的观测值")
MESSAGE_ID = T("消息编号；也可写在 ?id= 或请求体的 id 中，都没有则取内容摘要")
ALL, SOME, RETRY = T("全部已落盘"), T("指出的元素没有入库，其余已落盘"), T("多少秒后重发")
EXAMPLE = [
    {"property": "pm2_5", "value": 35.2, "at": "2026-03-01T08:00:00+08:00"},
    {"property": "pm2_5", "value": 33.0, "statistic": "mean", "start": "2026-03-01T08:00:00+08:00", "end": "2026-03-01T09:00:00+08:00"},
]


async def get(request: Request) -> Response:
    """Open to everybody: the interface is documented in the public source."""
    return Response(_encoded(), media_type="application/json", headers={"Cache-Control": "public, max-age=3600"})


@cache
def _encoded() -> bytes:
    return msgspec.json.encode(description())


def description() -> dict[str, Any]:
    """The whole document."""
    parts, components = msgspec.json.schema_components(
        [list[Element], decoding.Envelope, Stored, PartlyStored, Problem], ref_template="#/components/schemas/{name}"
    )
    array, envelope, stored, partly, problem = parts
    array["maxItems"] = components["Envelope"]["properties"]["observations"]["maxItems"] = decoding.MOST
    return {
        "openapi": "3.1.0",
        "info": {"title": _both(TITLE), "version": __version__, "description": _both(ABOUT)},
        "servers": [{"url": "/api/data"}],
        "security": [{"basic": []}, {"bearer": []}],
        "paths": {PATH: {"post": _post(array, envelope, _answers(stored, partly, problem))}},
        "components": {"schemas": components, "securitySchemes": _doors()},
    }


def _post(array: Any, envelope: Any, answers: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": {"anyOf": [array, envelope]}, "examples": {"array": {"value": EXAMPLE}}}
    key = {"type": "string", "minLength": 1, "maxLength": ingest.LONGEST_ID, "pattern": "^[ -~]+$"}
    packed = {"type": "string", "enum": ["identity", "gzip"]}
    limits = f"{body.LARGEST >> 20} MiB, gzip {body.LARGEST_UNPACKED >> 20} MiB"
    return {
        "operationId": "postObservations",
        "summary": _both(SUMMARY),
        "parameters": [
            {"name": "Idempotency-Key", "in": "header", "description": _both(MESSAGE_ID), "schema": key},
            {"name": "Content-Encoding", "in": "header", "description": f"≤ {limits}", "schema": packed},
        ],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": answers,
    }


def _answers(stored: Any, partly: Any, problem: Any) -> dict[str, Any]:
    """By status: the good ones, and every error that the listener may raise."""
    kinds: dict[int, list[ErrorKind]] = defaultdict(list)
    for each in [*errors(body), *errors(decoding), *errors(ingest), *errors(room), NOT_ALLOWED]:
        kinds[each.status].append(each)
    found = {200: _answer(_both(ALL), stored)}
    for status, those in sorted(kinds.items()):
        told = "\n\n".join(f"`{each.code}` {_both(each.sentence)}" for each in those)
        found[status] = _answer(told, problem)
    unread = found[422]["description"]
    found[422] = _answer(f"{_both(SOME)}\n\n{unread}", {"anyOf": [partly, problem]})
    for status in ingest.LATER:
        found[status]["headers"] = {"Retry-After": {"description": _both(RETRY), "schema": {"type": "integer"}}}
    return {str(status): answer for status, answer in found.items()}


def _answer(told: str, schema: Any) -> dict[str, Any]:
    return {"description": told, "content": {"application/json": {"schema": schema}}}


def errors(module: ModuleType) -> list[ErrorKind]:
    """Those that a module may raise."""
    return [each for each in vars(module).values() if isinstance(each, ErrorKind)]


def _doors() -> dict[str, Any]:
    return {
        "basic": {"type": "http", "scheme": "basic", "description": "IDENTIFIER:SECRET"},
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "IDENTIFIER.SECRET"},
    }


def _both(text: str) -> str:
    """In both languages; a vendor's engineer may read either."""
    return f"{text} / {translate(text, 'en')}"
