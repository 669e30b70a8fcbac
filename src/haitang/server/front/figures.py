"""`GET /metrics`: what an instance counts, as Prometheus reads it (text exposition format 0.0.4).

Whoever may read the instance's state (`instance.read`, by session or API token) and the operator's commands are answered; strangers hear nothing, from loopback neither,
because a reverse proxy on this machine is there too. No label holds personal data: routes appear as planes, not as addresses.
"""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import psycopg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from haitang.base.settings import Settings
from haitang.server.front import guarded
from haitang.server.front.admission import SORTS, Budget
from haitang.server.front.ready import Readiness

BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[str, dict[str, str], float]  # name without `haitang_`, labels, value
HELP = {
    "up": ("gauge", "1 where the part of the instance works"),
    "http_requests_total": ("counter", "answers of the front by plane and class of status"),
    "http_request_seconds": ("histogram", "seconds until the answer began"),
    "http_connections": ("gauge", "connections to pages and APIs"),
    "http_turned_away_total": ("counter", "connections to pages and APIs that were turned away, or came in drops"),
    "admission_inside": ("gauge", "requests that the control plane works on, by sort"),
    "admission_waiting": ("gauge", "requests that wait for room, by sort"),
    "admission_refused_total": ("counter", "requests that found no room (503), by sort"),
    "listener_total": ("counter", "what a listener counted since it started"),
    "listener_now": ("gauge", "what a listener holds now, such as connections"),
    "process_resident_bytes": ("gauge", "memory of a process"),
    "process_cpu_seconds_total": ("counter", "processor time of a process"),
    "process_restarts_total": ("counter", "how often the supervisor started a process anew"),
    "evidence_unsealed": ("gauge", "records that wait for their seal"),
    "evidence_seal_age_seconds": ("gauge", "seconds since the last seal"),
    "jobs": ("gauge", "background jobs by state"),
    "cases_open": ("gauge", "cases that are not closed"),
    "alarms_open": ("gauge", "alarms that stand"),
}
_QUERIES: tuple[tuple[str, str], ...] = (
    ("evidence_unsealed", "select count(*) from evidence_evidencerecord where seal_id is null"),
    ("evidence_seal_age_seconds", "select extract(epoch from now() - max(sealed_at)) from evidence_seal"),
    ("cases_open", "select count(*) from cases_case where closed_at is null"),
    ("alarms_open", "select count(*) from rules_alarm where cleared_at is null and withdrawn_at is null"),
)


class Counted:
    """ASGI: counts answers and how long they took to begin."""

    counts: Counter[tuple[str, str]] = Counter()
    seconds: Counter[tuple[str, float]] = Counter()
    total: ClassVar[dict[str, float]] = {}

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, plane = time.perf_counter(), plane_of(scope["path"])

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(plane, message["status"], time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, told)

    def _add(self, plane: str, status: int, took: float) -> None:
        self.counts[plane, f"{status // 100}xx"] += 1
        self.total[plane] = self.total.get(plane, 0.0) + took
        self.seconds[plane, next((bound for bound in BOUNDS if took <= bound), float("inf"))] += 1


def plane_of(path: str) -> str:
    """Which part of the platform an address belongs to; never the address itself."""
    for start, plane in (
        ("/static/", "static"),
        ("/api/data/observations", "device"),
        ("/api/data", "data"),
        ("/api", "api"),
        ("/live", "live"),
    ):
        if path.startswith(start):
            return plane
    return "pages"


def of_http() -> Iterator[Sample]:
    for (plane, status), count in Counted.counts.items():
        yield "http_requests_total", {"plane": plane, "status": status}, count
    for plane in Counted.total:
        count = 0
        for bound in (*BOUNDS, float("inf")):
            count += Counted.seconds[plane, bound]
            yield "http_request_seconds_bucket", {"plane": plane, "le": "+Inf" if bound == float("inf") else str(bound)}, count
        yield "http_request_seconds_sum", {"plane": plane}, Counted.total[plane]
        yield "http_request_seconds_count", {"plane": plane}, count


def of_budget(budget: Budget) -> Iterator[Sample]:
    """What the control plane is asked at once."""
    yield "http_connections", {}, guarded.there()
    for what, count in guarded.turned_away.items():
        yield "http_turned_away_total", {"what": what}, count
    for sort in SORTS:
        yield "admission_inside", {"sort": sort}, budget.inside[sort]
        yield "admission_waiting", {"sort": sort}, budget.waiting[sort]
        yield "admission_refused_total", {"sort": sort}, budget.refused[sort]


def of_files(run: Path) -> Iterator[Sample]:
    """Listeners and processes, by what they leave in `run/`."""
    for file in sorted(run.glob("*.json")):
        try:
            told = json.loads(file.read_text("utf-8"))
            counted, now = told.get("counters", {}), told.get("now", {})
        except (OSError, ValueError, AttributeError):
            continue
        for what, count in counted.items():
            yield "listener_total", {"listener": file.stem, "what": what}, count
        for what, count in now.items():
            yield "listener_now", {"listener": file.stem, "what": what}, count
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    for file in sorted(run.glob("*.pid")):
        try:
            pid, restarts = file.read_text("ascii").split()
            stat = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        yield "process_resident_bytes", {"process": file.stem}, int(stat[21]) * page
        yield "process_cpu_seconds_total", {"process": file.stem}, (int(stat[11]) + int(stat[12])) / ticks
        yield "process_restarts_total", {"process": file.stem}, int(restarts)


async def of_database(url: str) -> list[Sample]:
    found: list[Sample] = []
    try:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=3) as connection:
            await connection.execute("set statement_timeout = '3s'")
            for name, query in _QUERIES:
                row = await (await connection.execute(query)).fetchone()
                found.append((name, {}, float(row[0] or 0) if row else 0.0))
            rows = await (await connection.execute("select status::text, count(*) from procrastinate_jobs group by 1")).fetchall()
            found += [("jobs", {"state": str(state)}, float(count)) for state, count in rows]
    except psycopg.Error:
        pass  # `up{part="database"}` says so
    return found


def exposed(samples: Iterable[Sample]) -> str:
    """The text of an exposition: each family once, with its help and type."""
    families: dict[str, list[str]] = {}
    for name, labels, value in samples:
        family = next((each for each in HELP if name == each or name.startswith(f"{each}_")), name)
        told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        families.setdefault(family, []).append(f"haitang_{name}{{{told}}} {value:g}" if told else f"haitang_{name} {value:g}")
    lines = []
    for family, found in families.items():
        kind, text = HELP.get(family, ("untyped", family))
        lines += [f"# HELP haitang_{family} {text}", f"# TYPE haitang_{family} {kind}", *found]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


class Metrics:
    """Answers `/metrics`."""

    def __init__(self, settings: Settings, ready: Readiness, budget: Budget) -> None:
        self._settings, self._ready, self._budget = settings, ready, budget

    async def samples(self) -> list[Sample]:
        state, stored = await asyncio.gather(self._ready.state(), of_database(self._settings.database_url))
        up: list[Sample] = [("up", {"part": name}, float(part["ok"])) for name, part in state["parts"].items()]
        return [*up, *of_http(), *of_budget(self._budget), *of_files(self._settings.run), *stored]

    async def endpoint(self, request: Request) -> Response:
        if not await self._ready.may_see(request):
            told: dict[str, Any] = {
                "code": "server.metrics_refused",
                "message": "需要 instance.read 权限的令牌。",
                "english": "Give an API token with instance.read.",
            }
            return JSONResponse(told, 401, {"Cache-Control": "no-store", "WWW-Authenticate": "Bearer"})
        return Response(exposed(await self.samples()), media_type=TYPE, headers={"Cache-Control": "no-store"})
