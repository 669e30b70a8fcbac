"""How asynchronous tests wait for what they look at."""

import asyncio
from collections.abc import Callable
from typing import Any


async def until(true: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until `true()` is; fail when it is not within `seconds`."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)
