"""A real front that stops while a request waits: the asker is told to come again."""

import asyncio
import socket
from typing import Any

import httpx
import uvicorn

from haitang.server.front.stopping import Stopping


def test_a_request_that_a_stop_cuts_off_is_told_to_come_again() -> None:
    asked = asyncio.Event()

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        asked.set()
        await asyncio.sleep(60)

    async def go() -> httpx.Response:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(Stopping(waits), lifespan="off", timeout_graceful_shutdown=1, log_level="critical"))
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", trust_env=False) as client:
                answer = asyncio.create_task(client.get("/", timeout=60))
                await asked.wait()
                server.should_exit = True
                found = await answer
            await serving
            return found

    answer = asyncio.run(go())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert answer.json()["code"] == "server.control_unavailable"
