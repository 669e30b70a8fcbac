"""An instance to measure: `haitang up` as a user would run it, on a place and an application of `bench.city`."""

import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bench import city

T = TypeVar("T")
RESTS = 0.3  # processors that an instance without work uses at most


@contextmanager
def city_running(data: Path, things: int, *, hj212: bool = False, more: Callable[[Path], None] | None = None) -> Iterator[Any]:
    """An instance on a city of so many things; this process works on it, with Django set up and its declarations in force.

    `more` adds to the declarations of the application, whose folder it is given.
    """
    from haitang.base.settings import use
    from haitang.server.boot import boot
    from haitang.server.instance import settings_of
    from haitang.server.tour.instance import running

    place, application = city.write(data, things, hj212=hj212)
    if more:
        more(application)
    os.environ["HAITANG_APPLICATIONS"] = str(application)
    os.environ["HAITANG_LOG_LEVEL"] = "WARNING"
    with running(data / "instance", str(place), seconds=300) as instance:
        use(settings_of({"data": instance.data}, must_run=True))
        boot()
        yield instance


@contextmanager
def started_again(instance: Any) -> Iterator[float]:
    """The same instance again, after its supervisor has gone; gives the seconds until it was ready. This process then works on it as before."""
    from django.db import connections

    from haitang.base.settings import settings, use
    from haitang.hub.data.lake.connection import forget
    from haitang.server.instance import settings_of
    from haitang.server.tour.instance import starting

    began = time.monotonic()
    with starting(instance, seconds=300):
        told = time.monotonic() - began
        use(settings_of({"data": instance.data}, must_run=True))
        connections.close_all()
        connections["default"].settings_dict["PORT"] = urlsplit(settings().database_url).port  # engines may listen elsewhere than before
        forget()
        yield told


def until(what: str, true: Callable[[], bool], *, seconds: float) -> float:
    """Wait until `true()`; gives the seconds that it took. Raises TimeoutError: a benchmark that does not come to its end has no figure."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)
    return time.monotonic() - began


def tried(work: Callable[[], Any]) -> None:
    """Change the lake; the instance's own writer may have just changed the same table: then again."""
    import duckdb

    for left in reversed(range(10)):
        try:
            work()
        except duckdb.TransactionException:
            if not left:
                raise
            time.sleep(0.5)
        else:
            return


def merged(lake: Any) -> None:
    """Merge the lake's files as the writer would have done long ago with what is there for long."""
    from haitang.hub.data.lake import compact

    tried(lambda: compact.merge(lake))


def followed(lake: Any) -> None:
    """What a benchmark put straight into the lake is done with: no rollup, twin or ledger of the instance's own writer takes it up while something is measured.

    It looks for new blocks whenever it opens the lake anew, so within any minute; 50 million readings took both processors for minutes.
    """
    from django.db import connection

    from haitang.hub.data.lake import ledger, offsets, rollup
    from haitang.hub.data.lake.transaction import transaction
    from haitang.support.infrastructure.twin import state

    position = lake.execute("select max(id) from lake.blocks").fetchone()[0]
    with transaction(lake, "offsets"):
        offsets.reach(lake, rollup.NAME, position)
        offsets.reach(lake, ledger.NAME, position)
    connection.ensure_connection()
    state.update(connection.connection, [], position)


def left_at_rest(lake: Any, began: float) -> float:
    """Leave a lake that was filled, from `began` on, to the instance, which has nothing to do with it then; gives the seconds that filling it took."""
    tried(lambda: followed(lake))
    lake.close()
    took = time.monotonic() - began
    at_rest()
    return took


def at_rest() -> None:
    """Wait until no process of the instance has anything left to do, as it has nothing to do with millions of rows that have been there for long.

    The writer merges files each minute: those that a benchmark merges too, at the same time and in vain, took both processors for most of a minute of what was measured.
    """
    from haitang.base.settings import settings

    def rests() -> bool:
        before = sum(processor_seconds(settings().data).values())
        time.sleep(1)
        return sum(processor_seconds(settings().data).values()) - before < RESTS

    until("the instance at rest", rests, seconds=240)


def stored() -> int:
    """Observations in the lake."""
    from haitang.hub.data.lake import queries

    return int(queries.query("select count(*) as n from observations")[0]["n"])


def judged() -> bool:
    """Whether no message of the stream waits for the rules any more."""
    return taken("rules")


def taken(consumer: str, number: int = 0) -> bool:
    """Whether no message of the stream (up to this number, where given) waits for this consumer any more: its writer's are then in the lake."""
    if number:
        return _asked(lambda stream: stream.is_done(consumer, number))
    return _asked(lambda stream: stream.pending(consumer)) == 0


def last_taken() -> int:
    """The number of the newest message of the stream."""
    return _asked(lambda stream: stream.last())


def _asked(ask: Callable[[Any], Awaitable[T]]) -> T:
    import asyncio

    from haitang.support.infrastructure.stream.client import connect

    async def answer() -> T:
        stream = await connect()
        try:
            return await ask(stream)
        finally:
            await stream.close()

    return asyncio.run(answer())


def processor_seconds(data: Path) -> dict[str, float]:
    """Processor seconds used so far, by process of the instance (its children included)."""
    used: dict[str, float] = {}
    for file in sorted((data / "run").glob("*.pid")):
        root = int(file.read_text().split()[0])
        used[file.stem] = sum(_seconds(pid) for pid in [root, *below(root)])
    return used


def peak_memory(data: Path) -> dict[str, float]:
    """The most memory (MiB) that each process of the instance has held, its children that still run included."""
    found: dict[str, float] = {}
    for file in sorted((data / "run").glob("*.pid")):
        root = int(file.read_text().split()[0])
        found[file.stem] = sum(_peak(pid) for pid in [root, *below(root)])
    return found


def _peak(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _seconds(pid: int) -> float:
    """Of a process and of its children that ended."""
    fields = _stat(pid)
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def below(root: int) -> list[int]:
    parents = {
        int(entry.name): int(stat[1]) for entry in Path("/proc").iterdir() if entry.name.isdigit() and (stat := _stat(int(entry.name)))
    }
    found, fresh = list[int](), [root]
    while fresh:
        fresh = [pid for pid, parent in parents.items() if parent in fresh]
        found += fresh
    return found
