"""HJ 212 stations to durable answers, to the lake and through the rules."""

import asyncio
import time
from pathlib import Path
from typing import Any

from bench import client
from bench.figures import Figure, Options
from bench.instance import city_running, processor_seconds, stored, until

TITLE = "HJ 212: packets answered durably"
CONNECTIONS = 200


def run(options: Options) -> list[Figure]:
    packets = 60 if options.quick else 300
    start = time.time() - 30 * packets
    with city_running(options.data, CONNECTIONS, hj212=True) as instance:
        _load(instance.hj212, 5, start - 7200)  # warm
        until("warm-up stored", lambda: stored() == CONNECTIONS * 5 * 5, seconds=60)
        before = stored()
        began, used = time.monotonic(), processor_seconds(instance.data)
        told = _load(instance.hj212, packets, start)
        wanted = before + told["answered"] * 5
        until("stored", lambda: stored() >= wanted, seconds=300)
        through = time.monotonic() - began
        used = {name: seconds - used.get(name, 0) for name, seconds in processor_seconds(instance.data).items()}
        lost = wanted - stored()
        floor = asyncio.run(_floor(options.data, min(packets, 100)))
    rate = told["answered"] / told["seconds"]
    return [
        Figure(
            "packets answered durably", rate, "packets/s", goal=5000, floor=floor, floor_is="asyncio server, one publish for all that waits"
        ),
        Figure("answer p50", told["p50"] * 1000, "ms"),
        Figure("answer p99", told["p99"] * 1000, "ms"),
        Figure("observations through to the lake", told["answered"] * 5 / through, "observations/s"),
        *(Figure(f"processor, {name}", seconds / told["answered"] * 1e6, "us/packet") for name, seconds in used.items() if seconds > 0.2),
        Figure("acknowledged and not stored", lost, "observations", goal=0, more=False),
    ]


def _load(port: int, packets: int, start: float) -> dict[str, Any]:
    return client.run("hj212", port, CONNECTIONS, packets, start)


async def _floor(data: Path, packets: int) -> float:
    """The same packets against a bare server: lines in, whatever waits in one JetStream publish, a fixed answer after its acknowledgement."""
    import nats
    from nats.js.api import StorageType, StreamConfig

    from haitang.base.settings import settings

    connection = await nats.connect(settings().nats_url)
    stream = connection.jetstream()
    await stream.add_stream(StreamConfig(name="FLOOR", subjects=["floor"], storage=StorageType.FILE))
    queue: asyncio.Queue[tuple[bytes, asyncio.StreamWriter]] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            queue.put_nowait((line, writer))
        writer.close()

    async def publish() -> None:
        while True:
            waiting = [await queue.get()]
            while not queue.empty():
                waiting.append(queue.get_nowait())
            await stream.publish("floor", b"".join(line for line, _ in waiting))
            for _, writer in waiting:
                writer.write(b"##0000ST=91;CN=9014;\r\n")

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    task = asyncio.create_task(publish())
    port = server.sockets[0].getsockname()[1]
    told = await asyncio.to_thread(_load, port, packets, time.time())
    task.cancel()
    server.close()
    await stream.delete_stream("FLOOR")
    await connection.close()
    return float(told["answered"] / told["seconds"])
