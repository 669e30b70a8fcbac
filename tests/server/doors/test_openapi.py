"""Every JSON endpoint, asked by its own OpenAPI and by what no OpenAPI would say: an answer each time, and never that of a crash."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis.generation import GenerationMode

from tests.server.doors.conftest import Clients
from tests.server.doors.routes import Route

ODD = {
    "deep": b"[" * 100_000,
    "deep_object": b'{"a":' * 50_000,
    "not_utf8": b'{"title": "\xff\xfe"}',
    "surrogate": b'{"title": "\\ud800", "description": "\\udfff", "kind": "\\ud800", "reason": "\\ud800"}',
    "nul": b'{"title": "a\\u0000b", "description": "\\u0000", "kind": "\\u0000", "reason": "\\u0000", "username": "\\u0000", "password": "\\u0000"}',
    "huge_number": b'{"limit": ' + b"9" * 5000 + b"}",
    "not_a_number": b'{"value": NaN, "limit": Infinity}',
    "a_list": b"[1, 2, 3]",
    "a_text": b'"x"',
    "null": b"null",
    "empty": b"",
    "twice": b'{"title": "a", "title": [], "title": {}}',
}


@pytest.fixture
def openapi(clients: Clients) -> dict[str, Any]:
    return dict(json.loads(clients.nobody.get("/api/openapi.json").content))


def operations(found: dict[str, Any]) -> Iterator[Any]:
    for each in schemathesis.openapi.from_dict(found).get_all_operations():
        yield each.ok()


def asked(clients: Clients, method: str, path: str, query: Any, body: Any, media: str | None) -> None:
    """Ask as everybody who could get through, and as nobody."""
    content = body if isinstance(body, bytes) else b"" if body is None or not media else json.dumps(body, default=str).encode()
    told = f"?{urlencode(query, doseq=True, errors='replace')}" if query else ""
    address = path.encode("utf-8", "replace").decode()
    kind = media if media and "json" in media else "application/json"
    for client in (clients.everything, clients.nobody):
        answer = client.generic(method.upper(), f"{address}{told}", content, content_type=kind)
        assert answer.status_code < 500, (method, address, told, content[:300], answer.content[:300])


def fuzz(clients: Clients, openapi: dict[str, Any], samples: dict[str, str], examples: int) -> None:
    for operation in operations(openapi):
        for mode in GenerationMode:

            @seed(20261125)
            @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                body = None if type(case.body).__name__ == "NotSet" else case.body
                for path in {case.formatted_path, real_path(case.path, samples)}:
                    asked(clients, case.method, path, case.query, body, case.media_type)

            try:
                ask()
            except Exception as failure:
                if type(failure).__name__ != "Unsatisfiable":  # nothing wrong can be said to an operation that takes nothing
                    raise


def real_path(template: str, samples: dict[str, str]) -> str:
    """The address of something that is there, so that what stands behind the look-up is reached too."""
    return Route(re.sub(r"{(\w+)}", r"<\1>", template.strip("/"))).address(samples)


@pytest.mark.timeout(600)
def test_no_endpoint_breaks_on_what_its_schema_says_or_forbids(clients: Clients, openapi: dict[str, Any], samples: dict[str, str]) -> None:
    fuzz(clients, openapi, samples, 1)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_no_endpoint_breaks_on_much_more_of_it(clients: Clients, openapi: dict[str, Any], samples: dict[str, str]) -> None:
    fuzz(clients, openapi, samples, 40)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("odd", [pytest.param(odd, marks=() if odd in ("surrogate", "deep") else pytest.mark.long) for odd in ODD])
def test_no_endpoint_breaks_on_a_body_that_is_no_message(
    odd: str, clients: Clients, openapi: dict[str, Any], samples: dict[str, str]
) -> None:
    for operation in operations(openapi):
        if operation.method in ("post", "put", "patch"):
            asked(clients, operation.method, real_path(operation.path, samples), None, ODD[odd], "application/json")
