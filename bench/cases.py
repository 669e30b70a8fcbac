"""Cases from opening to resolution over the JSON API, as an integrator drives them, with none, many and very many cases there already."""

import json
import sys
from collections import Counter
from statistics import median
from typing import Any

from bench import client, floor_cases, registry, stock
from bench.figures import Figure, Options
from bench.instance import city_running, processor_seconds

TITLE = "Cases: opened, dispatched, resolved over HTTP with deadlines, notices and evidence"
CONNECTIONS, ROUNDS = 8, 5
HALF, KEEPS = 0.5, 0.9
# Cases a second, each for so many seconds: the profile that the DIGIT complaint system was published with.
SPIKE = ((1, 20), (15, 20), (1, 20), (25, 20), (2, 20), (35, 20), (10, 20))


def run(options: Options) -> list[Figure]:
    sizes = (0, 20_000) if options.quick else (0, 100_000, 1_000_000)
    each = 15 if options.quick else 60  # of each connection in a round: shorter, one rate is a tenth off another of the same
    figures, first, there = list[Figure](), 0.0, 0
    with city_running(options.data, 10, more=stock.declare) as instance:
        tokens = _people()
        for size in sizes:
            stock.fill(size - there)
            there = size
            client.run("cases", instance.http, *tokens, "lives", CONNECTIONS, 10)  # warm: each thread of control has prepared what it asks
            figures += _measured(instance, tokens, size, each, first, KEEPS if size == sizes[-1] else None)
            first = first or figures[0].value
        seconds = 4 if options.quick else 20
        figures += _spike(instance, tokens, there, [(rate, seconds) for rate, _ in SPIKE])
    return figures


def _measured(instance: Any, tokens: list[str], size: int, each: int, first: float, keeps: float | None) -> list[Figure]:
    """In turns with the floor: a machine that others use as well is a fifth slower for half a minute at a time, which must not fall on one of the two."""
    rounds, bares, used = list[dict[str, Any]](), list[float](), Counter[str]()
    for _ in range(ROUNDS):
        before = processor_seconds(instance.data)
        rounds.append(client.run("cases", instance.http, *tokens, "lives", CONNECTIONS, each))
        used.update({name: seconds - before.get(name, 0) for name, seconds in processor_seconds(instance.data).items()})
        bares.append(floor_cases.rate(instance.data, CONNECTIONS, each))
    rate, bare, done = median(told["done"] / told["seconds"] for told in rounds), median(bares), sum(told["done"] for told in rounds)
    name = f"{size:,} cases there"
    kept = [Figure(f"{name}: against none there", rate / first, "of that rate", goal=keeps)] if first else []
    return [
        Figure(f"{name}: lifecycles, median of {ROUNDS} rounds", rate, "lifecycles/s", floor=bare, floor_is="bare Django WSGI view, same inserts"),
        Figure(f"{name}: against the bare view", rate / bare, "of its rate", goal=HALF), *kept,
        Figure(f"{name}: request p95, worst round", max(told["p95"] for told in rounds) * 1000, "ms"),
        Figure(f"{name}: processor, client", sum(told["processor"] for told in rounds) / done * 1000, "ms/lifecycle"),
        *(Figure(f"{name}: processor, {process}", s / done * 1000, "ms/lifecycle") for process, s in used.items() if s > 0.2),
    ]  # fmt: skip


def _spike(instance: Any, tokens: list[str], size: int, profile: list[tuple[int, int]]) -> list[Figure]:
    told = client.run("cases", instance.http, *tokens, "spike", json.dumps(profile))
    if told["errors"]:
        print(f"spike: {told['first_error'][0]}", file=sys.stderr, flush=True)
    name = f"spike {' '.join(str(rate) for rate, _ in profile)}/s at {size:,} cases"
    return [
        Figure(f"{name}: HTTP errors", told["errors"], "requests", goal=0, more=False),
        Figure(f"{name}: p95", told["p95"] * 1000, "ms", goal=1000, more=False),
        Figure(f"{name}: cases opened", told["done"], "cases"),
    ]


def _people() -> list[str]:
    """Tokens of a dispatcher and a handler, both synthetic."""
    scopes = ["case.*", "procedure.*"]
    return [registry.reader(f"bench-{role}", role, "bureau", scopes) for role in ("dispatcher", "handler")]
