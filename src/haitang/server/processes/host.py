"""Hosts one process: stop signals, heartbeat, logs, and an end even when it will not end itself."""

import asyncio
import contextlib
import inspect
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from haitang.base.settings import settings
from haitang.server import beat, telemetry
from haitang.server.processes import module

STOP_SECONDS = 10.0


def run(name: str) -> None:
    """Run process `name` until SIGTERM or SIGINT."""
    process: Any = module(name)
    os.nice(getattr(process, "NICE", 0))
    if getattr(process, "OWN_SIGNALS", False):
        process.run()
        return
    stop = telemetry.start(name)
    try:
        _host(name, process)
    finally:
        stop()


def _host(name: str, process: Any) -> None:
    if inspect.iscoroutinefunction(process.run):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(name, process.run))
    else:
        _run_in_threads(name, process.run)


def _end_soon() -> None:
    """Whatever still hangs must not outlive the stop."""
    timer = threading.Timer(STOP_SECONDS, os._exit, (1,))
    timer.daemon = True
    timer.start()


async def _run(name: str, function: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()

    def end() -> None:
        _end_soon()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    heart = asyncio.create_task(beat.keep_beating(settings().run, name))
    try:
        await function(stop)
    finally:
        heart.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await heart


def _run_in_threads(name: str, function: Callable[[threading.Event], None]) -> None:
    stop = threading.Event()

    def end(*_: object) -> None:
        _end_soon()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    beat.beat_in_thread(settings().run, name, stop)
    function(stop)
