"""How time grows with data: each read and write at 1, 10 and 100 times the data; the exponent is the slope of log time over log data.

Exponent 0: the amount does not matter; 1: in proportion; n log n over these sizes is about 1.1. What grows worse than that does not hold.
"""

import math
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import gather, history, made_firms, registry, sensing_http, stock
from bench.figures import Figure, Options
from bench.instance import city_running, stored, until

TITLE = "Growth: the exponent of time over 1, 10 and 100 times the data"
TIMES = (1, 10, 100)
Questions = tuple[Callable[[int], None], dict[str, Callable[[], Any]]]  # makes it so large; what is then timed


def run(options: Options) -> list[Figure]:
    unit = 1 if options.quick else 10
    figures = list[Figure]()
    with city_running(options.data, history.DEVICES, more=_declare) as instance:
        figures += _of("rows there", 1000 * unit, _rows())
        figures += _of("cases there", 100 * unit, _cases())
        figures += _of("rows in the file", 1000 * unit, _gather(options.data / "firms.csv", instance.data), asked=1)
        figures += _of("observations there", 7_000 * unit * unit, _history())
        figures += _of("observations there", 7_000 * unit * unit, _sensing(instance.http), asked=3)
    return figures


def _declare(application: Any) -> None:
    for declares in (registry, stock, made_firms):
        declares.declare(application)


def _of(what: str, unit: int, asks: Questions, *, asked: int = 7) -> list[Figure]:
    fill, questions = asks
    took: dict[str, list[float]] = {name: [] for name in questions}
    for times in TIMES:
        fill(unit * times)
        for name, ask in questions.items():
            took[name].append(_median(ask, asked))
    sizes = [unit * times for times in TIMES]
    worst = math.log(sizes[-1] * math.log(sizes[-1]) / (sizes[0] * math.log(sizes[0]))) / math.log(
        sizes[-1] / sizes[0]
    )  # n log n over these sizes
    figures = []
    for name, found in took.items():
        told = ", ".join(f"{seconds * 1000:.1f}" for seconds in found)
        figures.append(
            Figure(
                f"{what} x{'/'.join(map(str, TIMES))}: {name} ({told} ms)",
                _slope(sizes, found),
                "exponent",
                goal=round(worst, 2),
                more=False,
            )
        )
    return figures


def _slope(sizes: list[int], seconds: list[float]) -> float:
    """Least squares over the logarithms."""
    x, y = [math.log(size) for size in sizes], [math.log(each) for each in seconds]
    return statistics.linear_regression(x, y).slope


def _median(ask: Callable[[], Any], asked: int) -> float:
    """Of so many times, after one that counts for nothing; what is asked once is not asked before."""
    if asked > 1:
        ask()
    took = []
    for _ in range(asked):
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def _rows() -> Questions:
    from haitang.base.actions import Actor
    from haitang.base.declarations import in_force
    from haitang.hub.data.catalogue import kept, reads
    from haitang.hub.data.catalogue.kinds import Resource

    reader = Actor("staff", "bench", "测量（示例）", "bureau", frozenset({"bench_reader"}))

    def fill(rows: int) -> None:
        registry.empty()
        registry.fill(rows)

    def read(**asked: Any) -> Any:
        kept.counts.forget()  # what is kept does not grow with the rows; what is worked out does
        kept.pages.forget()
        kept.stretches.forget()
        asked = {"equal": {}, "least": {}, "most": {}, **asked}
        return reads.read(reader, in_force().get(Resource, registry.ID), reads.Asked(**asked), way="bench", purpose="bench")

    return fill, {
        "page 1 and count, worked out": lambda: read(),
        "page 1 and count with a filter, worked out": lambda: read(equal={"kind": "k17"}),
        "page 5 sorted by a column, worked out": lambda: read(sort="-area", page=5),
    }


def _cases() -> Questions:
    from haitang.base.actions import Actor
    from haitang.hub.business.cases import queries
    from haitang.hub.business.cases.filters import Filters

    reader, there = Actor("staff", "bench", "测量（示例）", "bureau", frozenset({"dispatcher"})), 0

    def fill(count: int) -> None:
        nonlocal there
        stock.fill(count - there)
        there = count

    return fill, {
        "opened, dispatched, resolved": lambda: stock.one(True),
        "first page of the list, with its count": lambda: list(queries.cases(reader, Filters()).cases),
    }


def _with_history(count: int) -> None:
    history.empty()
    history.fill(count)


def _history() -> Questions:
    from haitang.hub.data.lake import queries
    from haitang.support.infrastructure.twin.queries import latest_as_json

    end = history.until()
    week = ("p0", "instant", end - timedelta(days=history.DAYS), end)

    return _with_history, {
        "last 24 h of one device": lambda: queries.readings_of("bench_thing_7", end - timedelta(days=1), end),
        "hourly mean of all, rollups": lambda: queries.of_all(*week, "hour"),
        "hourly mean of all, raw": lambda: queries.of_all(*week, "hour of raw"),
        "latest of all": latest_as_json,
    }


def _gather(file: Path, data: Path) -> Questions:
    """The command as a user gives it: a file of rows that were not there before."""
    first = 0

    def fill(rows: int) -> None:
        nonlocal first
        made_firms.write(file, rows, first)
        first += rows

    return fill, {"a file with ten field rules, gathered": lambda: gather.gather(file, data)}


def _sensing(port: int) -> Questions:
    """Batches from devices until they are in the lake, where so many observations are there already."""
    devices, start = sensing_http.credentials(), time.time() - 86_400

    def send() -> None:
        nonlocal start
        wanted = stored() + sensing_http.load(port, 1, start, devices)["batches"] * sensing_http.BATCH
        start += 600  # moments that were not sent before
        until("stored", lambda: stored() >= wanted, seconds=120)

    return _with_history, {f"{sensing_http.CONNECTIONS * sensing_http.BATCH:,} observations sent, to the lake": send}
