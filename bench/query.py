"""Reads of a week of 50 million observations of 2,000 devices and of a resource of 13 million rows, over HTTP with policies asked, one reader at a time."""

import secrets
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from bench import city, history, registry
from bench.figures import Figure, Options
from bench.instance import city_running

TITLE = "Query: series, means, latest, a page of 30 indicators and pages of a resource, each for one reader over HTTP"
OBSERVATIONS, ROWS, INDICATORS = 50_000_000, 13_000_000, 30
TIMES = 15


def run(options: Options) -> list[Figure]:
    observations, rows = (2_000_000, 300_000) if options.quick else (OBSERVATIONS, ROWS)
    with city_running(options.data, history.DEVICES, more=_declare) as instance:
        took = history.fill(observations)
        registry.fill(rows)
        token = registry.reader("bench-query", "bench_reader", "bureau", ["data.read"])
        town = registry.reader("bench-town", "bench_town", "town", ["data.read"])
        with _client(instance.url, token) as everything, _client(instance.url, town) as tenth, _signed_in(instance.url) as page:
            _indicators_are_there(page)
            return [
                Figure("observations", observations, "rows"),
                Figure("put into the lake with rollups", took, "s"),
                *_series(everything),
                _figure(f"page with {INDICATORS} indicators", lambda: _page(page), 500),
                *_rows(everything, "no filter", 40),
                *_rows(tenth, "row filter that keeps a tenth", 150),
            ]


def _declare(application: Path) -> None:
    registry.declare(application)
    (application / "indicators").mkdir(exist_ok=True)
    (application / "pages").mkdir(exist_ok=True)
    for number in range(INDICATORS):
        text = f"title: 测量指标 {number}\nunit: '1'\nover: cases\nvalue: select count(*) + {number} from cases\nbetter: higher\nrecords: cases\nnote: 测量用\n"
        (application / "indicators" / f"bench_{number}.yaml").write_text(text, "utf-8")
    rows = "".join(f"  - [{', '.join(f'bench_{n}' for n in range(first, first + 5))}]\n" for first in range(0, INDICATORS, 5))
    (application / "pages" / "bench.yaml").write_text(f"title: 测量页面\nfor: [desk]\nrows:\n{rows}", "utf-8")


def _client(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=120, headers={"Authorization": f"Bearer {token}"})


def _signed_in(url: str) -> httpx.Client:
    """A synthetic person's browser: pages open by no token."""
    from haitang.base.actions import acting, system
    from haitang.support.security.people.actions import create_person, give_role

    password = f"{secrets.token_urlsafe(18)}-a1"
    with acting(system("operator")) as act:
        who = create_person(act=act, username="bench-page", name="测量（示例）", organization="bureau", password=password, synthetic=True)
        give_role(act=act, person=who, role="bench_reader")
        type(who).objects.filter(pk=who.pk).update(must_change_password=False)
    signed_in = httpx.post(f"{url}/api/session", json={"username": "bench-page", "password": password}, timeout=120).raise_for_status()
    return httpx.Client(base_url=url, timeout=120, cookies=signed_in.cookies)


def _indicators_are_there(page: httpx.Client) -> None:
    """Wait until the worker has computed each for the first time."""
    from bench.instance import until
    from haitang.hub.data.indicators.models import IndicatorValue

    def all_there() -> bool:
        return IndicatorValue.objects.filter(indicator__startswith="bench_").values("indicator").distinct().count() == INDICATORS

    until("the indicators", all_there, seconds=180)


def _series(client: httpx.Client) -> list[Figure]:
    end = history.until()
    day = {"start": (end - timedelta(days=1)).isoformat(), "end": end.isoformat()}
    week = {"start": (end - timedelta(days=history.DAYS)).isoformat(), "end": end.isoformat(), "property": "p0", "statistic": "instant"}

    def of_one(number: int) -> None:
        told = _get(client, "/api/data/series", thing=city.thing(number % history.DEVICES), **day)
        assert set(told["property"]) == {f"p{each}" for each in range(city.PROPERTIES)}, "every property of the device"

    def of_all(bucket: str) -> None:
        told = _get(client, "/api/data/series", **week, bucket=bucket)
        assert len(told["time"]) == history.DAYS * 24, "an answer for every hour"

    def latest() -> None:
        assert len(_get(client, "/api/data/twin", property="p0")) == history.DEVICES

    devices = iter(range(7, 10_000_000, 13))
    return [
        _figure("last 24 h of one device, all its properties", lambda: of_one(next(devices)), 30),
        _figure("hourly mean of all over 7 days, rollups", lambda: of_all("hour"), 150),
        _figure("hourly mean of all over 7 days, raw", lambda: of_all("hour of raw"), 300),
        _figure("latest of all", latest, 30),
    ]


def _rows(client: httpx.Client, name: str, goal: float) -> list[Figure]:
    pages = iter(range(1, 1000))

    def read() -> None:
        told = _get(client, f"/api/resources/{registry.ID}/rows", page=1, size=99 + next(pages) % 2, purpose="bench")
        assert told["total"], "an exact count"
        assert len(told["rows"]) >= 99, "a whole page"

    return [
        _figure(f"page 1 and exact count, {name}, worked out", lambda: read(), goal, before=_new_version),
        _figure(f"page 1 and exact count, {name}, nothing new since", read, goal),
    ]


def _new_version() -> None:
    """Something is gathered into the resource: what was kept of it counts no longer."""
    from haitang.hub.data.catalogue.tables import name_of
    from haitang.hub.data.lake.connection import writer
    from haitang.hub.data.lake.transaction import transaction

    lake = writer()
    with transaction(lake):
        lake.execute(f"delete from lake.{name_of(registry.ID)} where line = (select max(line) from lake.{name_of(registry.ID)})")
    lake.close()


def _page(client: httpx.Client) -> None:
    answer = client.get("/pages/bench")
    answer.raise_for_status()
    assert answer.text.count("测量指标") >= INDICATORS, "every indicator"


def _get(client: httpx.Client, path: str, **asked: Any) -> Any:
    answer = client.get(path, params=asked)
    if answer.status_code != 200:
        raise RuntimeError(answer.text[:500])
    return answer.json()


def _figure(name: str, ask: Callable[[], None], goal: float, *, before: Callable[[], None] | None = None) -> Figure:
    """The median of TIMES, after two that count for nothing."""
    took = []
    for _ in range(TIMES + 2):
        if before:
            before()
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    return Figure(name, statistics.median(took[2:]) * 1000, "ms", goal=goal, more=False)
