"""The embedded engines as children; none where a URL is given."""

import asyncio
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from haitang.base.settings import Settings
from haitang.server.instance import environment
from haitang.server.supervisor.child import Spec, program
from haitang.support.infrastructure.embedded.nats import Nats
from haitang.support.infrastructure.embedded.ports import kept_port
from haitang.support.infrastructure.embedded.postgres import Postgres
from haitang.support.infrastructure.stream import unanswered
from haitang.support.infrastructure.stream.messages import STREAM

STANDS_STILL = 3.0  # seconds without one message stored while publishers wait
ROOM = 16 << 20  # bytes of the disk without which a new start would help nobody yet
AFTER_FULL = 6.0  # seconds after a full disk in which a stream that answers nobody needs no other proof


def engines(settings: Settings) -> tuple[Settings, list[Spec]]:
    """The settings with the addresses of the engines, and the engines to start."""
    specs = []
    ports = settings.run / "ports.json"
    if not settings.database_url:
        server = Postgres(settings.data / "postgres", kept_port(ports, "postgres"))
        server.prepare()
        settings = replace(settings, database_url=server.url)
        specs.append(_postgres(server, settings))
    if not settings.nats_url:
        stream = Nats(settings.data / "nats", kept_port(ports, "nats"))
        stream.prepare()
        settings = replace(settings, nats_url=stream.url)
        specs.append(_nats(stream, settings))
    return settings, specs


def _postgres(server: Postgres, settings: Settings) -> Spec:
    async def answers(pid: int) -> bool:
        import psycopg

        try:
            await asyncio.to_thread(server.ensure_database)
        except psycopg.OperationalError:
            return False
        return True

    return Spec(
        "postgres", program(server.command, _bare(settings), Path("/"), signal.SIGINT), answers, stop_signal=signal.SIGINT, stop_seconds=30,
        before=server.wait_for_predecessor,
    )  # fmt: skip


def _nats(stream: Nats, settings: Settings) -> Spec:
    async def answers(pid: int) -> bool:
        return await says_info("127.0.0.1", stream.port)

    disk = Disk(settings.run)

    async def healthy(pid: int) -> bool:
        return disk.full() or not (disk.broke_the_stream() or await gave_up(stream.url, settings.run))

    return Spec("nats", program(stream.command, _bare(settings), Path("/")), answers, healthy=healthy, check_seconds=1)


class Disk:
    """The disk that NATS writes to, and when it was last seen full."""

    def __init__(self, run: Path, room: int = ROOM) -> None:
        self._run, self._room, self._full_at = run, room, -AFTER_FULL

    def full(self) -> bool:
        if full := shutil.disk_usage(self._run).free < self._room:
            self._full_at = time.monotonic()
        return full

    def broke_the_stream(self) -> bool:
        """Whether it was full just now and publishers are not answered since; says so once for each time that it was full."""
        broke = time.monotonic() - self._full_at < AFTER_FULL and unanswered.is_said(self._run)
        if broke:
            self._full_at = -AFTER_FULL
        return broke


async def gave_up(url: str, run: Path) -> bool:
    """Whether only a new start can help the server: after a failed write, such as on a full disk, it turns JetStream off, or never answers again what is
    published to that stream, though it answers everything else."""
    import nats
    from nats.errors import Error as NatsError
    from nats.js.errors import ServiceUnavailableError

    try:
        client = await nats.connect(url, connect_timeout=2, allow_reconnect=False, max_reconnect_attempts=0, error_cb=_quiet)
    except (NatsError, OSError, TimeoutError):
        return False
    try:
        await client.jetstream().account_info()
        return unanswered.is_said(run) and await _stands_still(client, run)
    except ServiceUnavailableError:
        return True
    except (NatsError, OSError, TimeoutError):
        return False
    finally:
        await client.close()


async def _stands_still(client: Any, run: Path) -> bool:
    """Whether nothing comes onto the stream though publishers go on trying."""
    stream = client.jetstream()
    before = (await stream.stream_info(STREAM)).state.last_seq
    await asyncio.sleep(STANDS_STILL)
    return unanswered.is_said(run) and (await stream.stream_info(STREAM)).state.last_seq == before


async def _quiet(reason: Exception) -> None:
    """What cannot be reached now is asked again soon."""


async def says_info(host: str, port: int) -> bool:
    """Whether a NATS server greets at this address."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 2)
        greeting = await asyncio.wait_for(reader.readline(), 2)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return greeting.startswith(b"INFO")


def _bare(settings: Settings) -> dict[str, str]:
    """An engine learns none of our settings, secrets least of all."""
    return {name: value for name, value in environment(settings).items() if not name.startswith(("HAITANG_", "PG"))}
