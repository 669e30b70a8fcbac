"""How time grows with data: each read and write at 1, 10 and 100 times the data; the exponent is the slope of log time over log data.

Exponent 0: the amount does not matter; 1: in proportion; n log n over these sizes is about 1.1. What grows worse than that does not hold.
"""

import math
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bench import history, registry, stock
from bench.figures import Figure, Options
from bench.instance import city_running

TITLE = "Growth: the exponent of time over 1, 10 and 100 times the data"
TIMES = (1, 10, 100)


def run(options: Options) -> list[Figure]:
    unit = 1 if options.quick else 10
    figures = list[Figure]()
    with city_running(options.data, 10, more=_declare) as instance:
        figures += _of("rows", 1000 * unit, _rows(instance))
        figures += _of("cases", 100 * unit, _cases())
        figures += _of("observations", 7_000 if options.quick else 490_000, _history())
    return figures


def _declare(application: Any) -> None:
    registry.declare(application)
    stock.declare(application)


def _of(what: str, unit: int, asks: tuple[Callable[[int], None], dict[str, Callable[[], Any]]]) -> list[Figure]:
    fill, questions = asks
    took: dict[str, list[float]] = {name: [] for name in questions}
    for times in TIMES:
        fill(unit * times)
        for name, ask in questions.items():
            took[name].append(_median(ask))
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


def _median(ask: Callable[[], Any]) -> float:
    ask()
    took = []
    for _ in range(7):
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def _rows(instance: Any) -> tuple[Callable[[int], None], dict[str, Callable[[], Any]]]:
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
        asked = {"equal": {}, "least": {}, "most": {}, **asked}
        return reads.read(reader, in_force().get(Resource, registry.ID), reads.Asked(**asked), way="bench", purpose="bench")

    return fill, {
        "page 1 and count, worked out": lambda: read(),
        "page 1 and count with a filter, worked out": lambda: read(equal={"kind": "k17"}),
        "page 5 sorted by a column, worked out": lambda: read(sort="-area", page=5),
    }


def _cases() -> tuple[Callable[[int], None], dict[str, Callable[[], Any]]]:
    from haitang.base.actions import Actor
    from haitang.hub.business.cases import queries
    from haitang.hub.business.cases.filters import Filters

    reader, there = Actor("staff", "bench", "测量（示例）", "bureau", frozenset({"dispatcher"})), 0

    def fill(count: int) -> None:
        nonlocal there
        stock.fill(count - there)
        there = count

    return fill, {
        "opened, dispatched, resolved": lambda: stock._one(True),
        "first page of the list, with its count": lambda: list(queries.cases(reader, Filters()).cases),
    }


def _history() -> tuple[Callable[[int], None], dict[str, Callable[[], Any]]]:
    from haitang.hub.data.lake import queries

    end = history.until()
    span = [end - timedelta(days=7), end]
    hourly = "select start, avg(mean) from rollup_hour where start >= ? and start < ? group by start"
    raw = "select date_trunc('hour', period_start) as start, avg(number) from observations where period_start >= ? and period_start < ? group by 1"

    def fill(count: int) -> None:
        history.empty()
        history.fill(count)

    return fill, {
        "last 24 h of one device": lambda: queries.series("bench_thing_7", "p0", "instant", end - timedelta(days=1), end, "raw"),
        "hourly mean of all, rollups": lambda: queries.query(hourly, span),
        "hourly mean of all, raw": lambda: queries.query(raw, span),
        "latest of all": lambda: queries.latest(),
    }
