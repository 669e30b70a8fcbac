"""Pages of a resource's rows through the JSON API: a page of 100 with a filter and an exact count, policies asked and evidence left for every answer."""

import asyncio
import random
from typing import Any

from bench import client, registry
from bench.figures import Figure, Options
from bench.instance import city_running, processor_seconds

TITLE = "Rows: a page of 100 with filter and exact count through the JSON API, policies and evidence on, 16 connections"
CONNECTIONS, PAGES = 16, 3
GOALS = {1_000_000: 400.0, 13_000_000: 250.0}


def run(options: Options) -> list[Figure]:
    figures = []
    sizes = (100_000, 1_000_000) if options.quick else tuple(GOALS)
    with city_running(options.data, 10, more=registry.declare) as instance:
        token = registry.reader("bench-rows", "bench_reader", "bureau", ["data.read"])
        for size in sizes:
            registry.empty()
            registry.fill(size)
            figures += _measured(instance, token, size, 250 if options.quick else 500)
    return figures


def _measured(instance: Any, token: str, size: int, each: int) -> list[Figure]:
    from haitang.base.settings import settings
    from haitang.support.security.evidence.models import EvidenceRecord

    first, after = client.run("get", instance.http, token, 1, lines=_every()), EvidenceRecord.objects.filter(action="evidence.access")
    client.run("get", instance.http, token, CONNECTIONS, lines=_some(20))  # warm: each thread of control has opened the lake
    before, used = after.count(), processor_seconds(instance.data)
    told = client.run("get", instance.http, token, CONNECTIONS, lines=_some(each))
    used = {name: seconds - used.get(name, 0) for name, seconds in processor_seconds(instance.data).items()}
    missing = told["answered"] - (after.count() - before)
    registry.bare(settings().database_url, size)
    floor = asyncio.run(registry.bare_pages(settings().database_url, CONNECTIONS, each, PAGES))
    name = f"{size:,} rows"
    return [
        Figure(f"{name}: pages", told["answered"] / told["seconds"], "requests/s", goal=GOALS.get(size), floor=floor, floor_is="bare PostgreSQL: count and page"),
        Figure(f"{name}: answer p50", told["p50"] * 1000, "ms"),
        Figure(f"{name}: answer p99", told["p99"] * 1000, "ms"),
        Figure(f"{name}: each filter for the first time, p50", first["p50"] * 1000, "ms"),
        Figure(f"{name}: each filter for the first time, p99", first["p99"] * 1000, "ms"),
        Figure(f"{name}: processor, client", told["processor"] / told["answered"] * 1000, "ms/request"),
        *(Figure(f"{name}: processor, {process}", s / told["answered"] * 1000, "ms/request") for process, s in used.items() if s > 0.2),
        Figure(f"{name}: answers without evidence", missing, "answers", goal=0, more=False),
    ]  # fmt: skip


def _path(kind: int, page: int) -> str:
    return f"/api/resources/{registry.ID}/rows?kind=k{kind}&page={page}&size=100&purpose=bench"


def _every() -> list[str]:
    """Each value of the filter once."""
    return [_path(kind, 1) for kind in range(registry.KINDS)]


def _some(each: int) -> list[str]:
    """Any value of the filter, one of its first pages."""
    chance = random.Random(1)
    return [_path(chance.randrange(registry.KINDS), chance.randrange(1, PAGES + 1)) for _ in range(each * CONNECTIONS)]
