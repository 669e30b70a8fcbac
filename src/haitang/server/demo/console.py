"""Says in the console how far the demonstration is."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from haitang.server.demo import state

LOOK = 3.0  # seconds
WORDS = {"people": "准备示例人员", "hours": "回放监测数据", "reading": "入库和判断报警", "cases": "生成示例案件", "trends": "计算指标"}


async def follow(data: Path, say: Callable[[str], None], look: float = LOOK) -> None:
    """One line each time the step changes, or ten percent have passed; ends when all is there."""
    told: tuple[str, int] = ("", -1)
    while True:
        found = state.read(data)
        doing, percent = found.get("doing", "people"), int(found.get("percent", 0))
        if percent >= 100:
            if told != ("", -1):
                say("演示数据已装好。删除演示：停止后执行 ./haitang demo remove")
            return
        if (doing, percent // 10) != told:
            told = (doing, percent // 10)
            say(f"正在装入演示数据 {percent}%：{WORDS.get(doing, doing)}")
        await asyncio.sleep(look)
