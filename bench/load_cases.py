"""Whoever works on cases in `cases`, in a process of their own: opens one, dispatches it, resolves it, each a request over the JSON API.

python -m bench.load_cases PORT DISPATCHER HANDLER lives CONNECTIONS EACH      as fast as it goes
python -m bench.load_cases PORT DISPATCHER HANDLER spike '[[RATE, SECONDS], …]'  so many cases a second, whatever the answers take
"""

import asyncio
import json
import sys
import time

import aiohttp

KIND = "bench_case"


class Work:
    """One client; counts what went wrong and how long each request took."""

    def __init__(self, client: aiohttp.ClientSession, tokens: tuple[str, str]) -> None:
        self.client, self.latencies, self.errors, self.done = client, list[float](), list[str](), 0
        self.dispatcher, self.handler = ({"Authorization": f"Bearer {token}"} for token in tokens)

    async def _post(self, path: str, who: dict[str, str], body: object) -> str:
        began = time.perf_counter()
        async with self.client.post(path, json=body, headers=who) as answer:
            text = await answer.read()
            self.latencies.append(time.perf_counter() - began)
            if answer.status != 200:
                raise RuntimeError(f"{answer.status} {text[:300]!r}")
        return str(json.loads(text)["number"])

    async def life(self) -> None:
        try:
            number = await self._post("/api/cases", self.dispatcher, {"kind": KIND, "title": "测量用案件", "description": "模拟数据"})
            moves = f"/api/cases/{number}/moves"
            await self._post(moves, self.dispatcher, {"move": "dispatch", "answers": {"organization": "bureau"}})
            await self._post(moves, self.handler, {"move": "handle", "answers": {"note": "已处置（模拟）"}})
            self.done += 1
        except (aiohttp.ClientError, RuntimeError, TimeoutError) as wrong:
            self.errors.append(str(wrong)[:300])

    async def lives(self, each: int) -> None:
        for _ in range(each):
            await self.life()

    async def spike(self, profile: list[tuple[float, float]]) -> None:
        """Cases arrive on time, not when the last is done."""
        at, under_way = time.perf_counter(), list[asyncio.Task[None]]()
        for rate, seconds in profile:
            for _ in range(int(rate * seconds)):
                await asyncio.sleep(max(at - time.perf_counter(), 0))
                under_way.append(asyncio.create_task(self.life()))
                at += 1 / rate
        await asyncio.gather(*under_way)


async def main(port: int, tokens: tuple[str, str], what: str, words: list[str]) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", connector=connector, timeout=aiohttp.ClientTimeout(60)) as client:
        work, began, used = Work(client, tokens), time.perf_counter(), time.process_time()
        if what == "lives":
            await asyncio.gather(*(work.lives(int(words[1])) for _ in range(int(words[0]))))
            if work.errors:
                raise RuntimeError(work.errors[0])
        else:
            await work.spike(json.loads(words[0]))
        took = sorted(work.latencies)
        told = {
            "done": work.done, "errors": len(work.errors), "first_error": work.errors[:1], "seconds": time.perf_counter() - began,
            "processor": time.process_time() - used, "p50": took[len(took) // 2], "p95": took[len(took) * 95 // 100],
        }  # fmt: skip
        print(json.dumps(told))


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1]), (sys.argv[2], sys.argv[3]), sys.argv[4], sys.argv[5:]))
