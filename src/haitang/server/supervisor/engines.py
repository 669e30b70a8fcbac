"""The embedded engines as children; none where a URL is given."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

from haitang.base.settings import Settings
from haitang.server.instance import environment
from haitang.server.supervisor.child import Spec, program
from haitang.support.infrastructure.embedded.nats import Nats
from haitang.support.infrastructure.embedded.ports import kept_port
from haitang.support.infrastructure.embedded.postgres import Postgres


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

    async def healthy(pid: int) -> bool:
        return not await _gave_up(stream.url)

    return Spec("nats", program(stream.command, _bare(settings), Path("/")), answers, healthy=healthy)


async def _gave_up(url: str) -> bool:
    """Whether the server says that it runs without JetStream: after a failed write, such as on a full disk, it turns it off until it is started anew."""
    import nats
    from nats.errors import Error as NatsError
    from nats.js.errors import ServiceUnavailableError

    try:
        client = await nats.connect(url, connect_timeout=2, allow_reconnect=False, max_reconnect_attempts=0, error_cb=_quiet)
    except (NatsError, OSError, TimeoutError):
        return False
    try:
        await client.jetstream().account_info()
    except ServiceUnavailableError:
        return True
    except (NatsError, OSError, TimeoutError):
        return False
    finally:
        await client.close()
    return False


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
