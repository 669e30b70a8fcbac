"""The real front, which devices reach by HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from haitang.server.processes import front
from tests.support.infrastructure.listeners.conftest import Platform
from tests.support.infrastructure.nats_server import NatsServer, free_port


@pytest.fixture
def served(nats_server: NatsServer, tmp_path: Any, declared_devices: None, transactional_db: None, on_settings: Any) -> Any:
    @asynccontextmanager
    async def start() -> AsyncIterator[Platform]:
        port, stop = free_port(), asyncio.Event()
        on_settings(http=port)
        running = asyncio.create_task(front.run(stop))
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                for _ in range(400):
                    try:
                        if (await client.post(f"http://127.0.0.1:{port}/api/data/observations")).status_code == 401:
                            break
                    except httpx.TransportError:
                        pass
                    await asyncio.sleep(0.05)
            yield Platform(port, nats_server, tmp_path / "run")
        finally:
            stop.set()
            await asyncio.wait_for(running, 30)

    return start
