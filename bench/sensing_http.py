"""Devices that post batches, to durable answers, to the lake and through the rules."""

import asyncio
import time
from pathlib import Path
from typing import Any

from bench import city, client
from bench.figures import Figure, Options
from bench.instance import city_running, judged, processor_seconds, stored, until

TITLE = "HTTP: batches of 500 observations, durable at their answer"
DEVICES, CONNECTIONS = 2000, 32
BATCH = 500


def run(options: Options) -> list[Figure]:
    batches = 30 if options.quick else 150  # of each connection
    start = time.time() - 86_400
    with city_running(options.data, DEVICES) as instance:
        devices = credentials()
        load(instance.http, 2, start - 7 * 86_400, devices)  # warm
        until("warm-up stored", lambda: stored() == CONNECTIONS * 2 * BATCH, seconds=60)
        before = stored()
        began, used = time.monotonic(), processor_seconds(instance.data)
        told = load(instance.http, batches, start, devices)
        wanted = before + told["batches"] * BATCH
        until("stored", lambda: stored() >= wanted, seconds=600)
        through = time.monotonic() - began
        until("judged", judged, seconds=600)
        ruled = time.monotonic() - began
        used = {name: seconds - used.get(name, 0) for name, seconds in processor_seconds(instance.data).items()}
        lost, rows = wanted - stored(), told["batches"] * BATCH
        floor = asyncio.run(_floor(options.data, min(batches, 50) * CONNECTIONS))
    return [
        Figure("observations durable at the answer", rows / told["seconds"], "observations/s", goal=100_000, floor=floor,
               floor_is="bare JetStream publish, DuckLake append after it"),
        Figure("answer p50", told["p50"] * 1000, "ms"),
        Figure("answer p99", told["p99"] * 1000, "ms"),
        Figure("through to the lake", rows / through, "observations/s"),
        Figure("through the rules too", rows / ruled, "observations/s"),
        Figure("processor, client", told["processor"] / rows * 1e6, "us/observation"),
        *(Figure(f"processor, {name}", seconds / rows * 1e6, "us/observation") for name, seconds in used.items() if seconds > 0.2),
        Figure("acknowledged and not stored", lost, "observations", goal=0, more=False),
    ]  # fmt: skip


def credentials() -> list[tuple[str, str, str]]:
    """One credential for each device: (identifier, secret, thing)."""
    from haitang.base.actions import acting, system
    from haitang.support.infrastructure.credentials.actions import issue
    from haitang.support.infrastructure.things.models import Thing

    with acting(system("operator")) as act:
        made = [issue(act=act, thing=thing) for thing in Thing.objects.filter(id__startswith=city.thing(0)[:-1])]
    return [(each.credential.identifier, each.secret, each.credential.thing_id) for each in made]


def load(port: int, batches: int, start: float, devices: list[tuple[str, str, str]]) -> dict[str, Any]:
    return client.run("http", port, CONNECTIONS, batches, start, lines=map(" ".join, devices))


async def _floor(data: Path, batches: int) -> float:
    """The same rows with nothing of ours between: published to JetStream batch by batch, then appended to a DuckLake by 64 batches; observations/s."""
    import nats
    from nats.js.api import StorageType, StreamConfig

    from haitang.base.settings import settings

    connection = await nats.connect(settings().nats_url)
    stream = connection.jetstream()
    await stream.add_stream(StreamConfig(name="FLOOR", subjects=["floor"], storage=StorageType.FILE))
    row = b'{"property":"p0","value":35.20,"at":"2026-01-01T00:00:00+00:00","thing":"bench_thing_1","ref":"1234567890-12-12"},'
    began = time.perf_counter()
    for _ in range(batches // 8):
        await asyncio.gather(*(stream.publish("floor", row * BATCH) for _ in range(8)))
    await stream.delete_stream("FLOOR")
    await connection.close()
    seconds = time.perf_counter() - began + await asyncio.to_thread(_appended, data, batches)
    return batches // 8 * 8 * BATCH / seconds


def _appended(data: Path, batches: int) -> float:
    """Seconds that a bare DuckLake of its own takes to append the rows."""
    from haitang.hub.data.lake.connection import plain, quoted

    folder = data / "floor"
    folder.mkdir()
    lake = plain(extensions=("ducklake",))
    lake.execute(f"attach {quoted(f'ducklake:{folder}/catalogue.db')} as floor (data_path {quoted(f'{folder}/files')})")
    lake.execute("create table floor.rows (thing varchar, property varchar, moment timestamptz, value double, ref varchar)")
    began = time.perf_counter()
    for batch in range(0, batches, 64):
        lake.execute(
            f"insert into floor.rows select 'bench_thing_' || i % {DEVICES}, 'p' || i % 5, make_timestamptz({batch} * 1000000 + i), random() * 100, "
            f"'{batch}-' || i % 64 from range({64 * BATCH}) r(i)"
        )
    seconds = time.perf_counter() - began
    lake.close()
    return seconds
