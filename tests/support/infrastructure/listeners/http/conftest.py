"""The real front, which devices reach by HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from haitang.server.processes import front
from tests.ports import free_port
from tests.support.infrastructure.listeners.conftest import Platform
from tests.support.infrastructure.nats_server import NatsServer


@pytest.fixture
def served(nats_server: NatsServer, tmp_path: Any, declared_devices: None, transactional_db: None, on_settings: Any) -> Any:
    @asynccontextmanager
    async def start() -> AsyncIterator[Platform]:
        port, stop = free_port(), asyncio.Event()
        on_settings(http=port)
        running = asyncio.create_task(front.run(stop))
        try:
            async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(90):
                while not await _open(client, f"http://127.0.0.1:{port}/api/data/observations"):
                    await asyncio.sleep(0.05)
            yield Platform(port, nats_server, tmp_path / "run")
        finally:
            stop.set()
            await asyncio.wait_for(running, 60)

    return start


async def _open(client: httpx.AsyncClient, address: str) -> bool:
    """Whether devices are let in there: one without a credential is refused, and not told to come later."""
    try:
        return (await client.post(address)).status_code == 401
    except httpx.TransportError:
        return False
