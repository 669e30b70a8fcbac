"""The listener keeps what its own description says: for what the description allows and for what it forbids, over a real socket."""

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from haitang.support.infrastructure.listeners.http.openapi import EXAMPLE, description
from tests.support.infrastructure.listeners.http.test_http import client_of

pytestmark = pytest.mark.django_db(transaction=True)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def fuzz(base: str, auth: tuple[str, str], examples: int) -> set[int]:
    """Statuses that were answered. The description is the one that is served."""
    found: set[int] = set()
    schema = schemathesis.openapi.from_url(f"{base}/api/data/observations/openapi.json")
    (operation,) = [each.ok() for each in schema.get_all_operations()]
    for mode in GenerationMode:

        @seed(20261129)
        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            case.headers = {"Content-Type": "application/json", **{n: v for n, v in (case.headers or {}).items() if n == "Idempotency-Key"}}
            answer = case.call(base_url=f"{base}/api/data", auth=auth, timeout=60)
            found.add(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

        ask()
    return found


def play(served: Any, examples: int) -> set[int]:
    async def run() -> set[int]:
        async with served() as platform:
            issued = await platform.thing("n1")
            base = f"http://127.0.0.1:{platform.port}"
            return await asyncio.to_thread(fuzz, base, (issued.credential.identifier, issued.secret), examples)

    return asyncio.run(run())


@pytest.mark.timeout(600)
def test_the_listener_answers_as_it_describes_itself(served: Any) -> None:
    assert play(served, 60) >= {422}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_listener_answers_as_it_describes_itself_to_much_more(served: Any) -> None:
    assert play(served, 1500) >= {200, 422}


def test_a_client_that_knows_the_description_alone_gets_through(served: Any) -> None:
    """Address, door, body and answer are read from the description, which every answer links."""

    async def run() -> None:
        async with served() as platform, client_of(platform) as client:
            issued = await platform.thing("n1")
            refused = await client.post("/api/data/observations")
            told = (await client.get(refused.links["service-desc"]["url"])).json()
            assert told == description()
            ((path, _),) = told["paths"].items()
            assert {each["scheme"] for each in told["components"]["securitySchemes"].values()} == {"basic", "bearer"}
            body = [{**EXAMPLE[0], "property": "leq", "value": 51.5}]
            answer = await client.post(told["servers"][0]["url"] + path, json=body, auth=(issued.credential.identifier, issued.secret))
            assert (answer.status_code, answer.json()["stored"]) == (200, 1)

    asyncio.run(run())


def test_every_error_of_the_listener_stands_in_the_description() -> None:
    told = description()["paths"]["/observations"]["post"]["responses"]
    assert set(told) == {"200", "400", "401", "403", "408", "409", "413", "415", "422", "429", "503"}
    assert "http.broken_gzip" in told["400"]["description"]
    assert told["429"]["headers"]["Retry-After"]
