"""The other side of the wire: a station that frames packets, sends them and waits for 9014, as the standard asks.

    async with Station("127.0.0.1", 9212, mn="...", password="123456") as station:
        await station.hour(start, {"a34004": 35.0})          # raises NotAnsweredError after three tries

Used by replays, the tour and tests; a real data logger does the same.
"""

import asyncio
import contextlib
import itertools
import ssl
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType

from haitang.base import clock
from haitang.base.clock import CHINA
from haitang.support.infrastructure.listeners.hj212 import crypto
from haitang.support.infrastructure.listeners.hj212.frame import Frame, Framer
from haitang.support.infrastructure.listeners.hj212.packet import Packet, compose, framed, parse

Values = Mapping[str, float]
FLAG_2017, ANSWER_WANTED = 4, 1
LONGEST_CP = 950  # characters, by the standard


class NotAnsweredError(Exception):
    """The platform did not answer within the tries."""


class Station:
    """One station on one connection. `timeout` seconds and `tries` are the standard's defaults; several packets may wait for their answers at once."""

    def __init__(
        self, host: str, port: int, *, mn: str, password: str = "", system: str = "22", key: bytes | None = None, flag: int = FLAG_2017,
        timeout: float = 10.0, tries: int = 3, tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self.host, self.port, self.mn = host, port, mn
        self._password, self._system, self._key, self._flag = password, system, key, flag
        self._timeout, self._tries, self._tls = timeout, tries, tls
        self._waiting: dict[str, asyncio.Future[Packet]] = {}
        self._numbers = itertools.count()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self.answered = 0

    async def __aenter__(self) -> "Station":
        await self.connect()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def connect(self) -> None:
        """Open the connection anew; raises OSError."""
        await self.close()
        self._reader, self._writer = await asyncio.open_connection(self.host, self.port, ssl=self._tls)
        self._listening = asyncio.create_task(self._listen(self._reader))

    async def close(self) -> None:
        if self._listening:
            self._listening.cancel()
        if self._writer:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        self._reader = self._writer = self._listening = None

    async def instant(self, at: datetime, values: Values, flags: Mapping[str, str] | None = None) -> None:
        """Upload instant values (2011) by factor code."""
        await self.upload("2011", at, _items(values, flags or {}, ["Rtd"]))

    async def minutes(self, start: datetime, values: Values, flags: Mapping[str, str] | None = None) -> None:
        """Upload the means of a minute period that begins at `start` (2051)."""
        await self.upload("2051", start, _items(values, flags or {}, ["Min", "Avg", "Max"]))

    async def hour(self, start: datetime, values: Values, flags: Mapping[str, str] | None = None, *, qn: str | None = None) -> None:
        """Upload the means of the hour that begins at `start` (2061). The same `qn` again is the same message again, and stored once."""
        await self.upload("2061", start, _items(values, flags or {}, ["Avg"]), qn=qn)

    async def day(self, start: datetime, values: Values, flags: Mapping[str, str] | None = None) -> None:
        """Upload the means of the day that begins at `start` (2031)."""
        await self.upload("2031", start, _items(values, flags or {}, ["Avg"]))

    async def upload(self, cn: str, at: datetime, items: list[str], *, qn: str | None = None) -> None:
        """Send an upload, in parts where it is too long for one packet, each answered before the next."""
        parts = _parts(f"DataTime={at.astimezone(CHINA):%Y%m%d%H%M%S}", items)
        for number, cp in enumerate(parts, 1):
            await self.ask(cn, cp, part=(len(parts), number) if len(parts) > 1 else None, qn=qn)

    async def ask(self, cn: str, cp: str, *, part: tuple[int, int] | None = None, qn: str | None = None) -> Packet:
        """Send a packet that wants an answer and give the answer; sends again (RF=1 in 2025) as often as the standard allows."""
        qn = qn or self._qn()
        for attempt in range(self._tries):
            answer: asyncio.Future[Packet] = asyncio.get_running_loop().create_future()
            self._waiting[qn] = answer
            try:
                await self._send(self._framed(cn, cp, qn, part, resent=attempt > 0))
                found = await asyncio.wait_for(answer, self._timeout)
            except (OSError, TimeoutError):
                continue
            finally:
                self._waiting.pop(qn, None)
            self.answered += 1
            return found
        raise NotAnsweredError(f"MN {self.mn}: CN {cn} was not answered after {self._tries} tries")

    def _framed(self, cn: str, cp: str, qn: str, part: tuple[int, int] | None, *, resent: bool) -> bytes:
        flag = self._flag | ANSWER_WANTED | (2 if part else 0)
        segment = compose(
            st=self._system, cn=cn, mn=self.mn, pw=self._password, qn=qn, flag=flag, cp=cp, part=part, resent=resent and self._flag >= 8
        )
        plain = framed(segment)
        return plain if self._key is None else plain[:6] + crypto.conceal(segment, self._key) + plain[-6:]

    def _qn(self) -> str:
        """A QN of its own for each exchange: the time to the second, then a running number instead of milliseconds."""
        return f"{clock.now().astimezone(CHINA):%Y%m%d%H%M%S}{next(self._numbers) % 1000:03d}"

    async def _send(self, data: bytes) -> None:
        if self._writer is None or self._writer.is_closing():
            await self.connect()
        assert self._writer is not None
        self._writer.write(data)
        await self._writer.drain()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        framer = Framer()
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65536):
                for frame in framer.feed(chunk):
                    if isinstance(frame, Frame):
                        self._take(parse(frame.segment))
        if self._writer:
            self._writer.close()

    def _take(self, answer: Packet) -> None:
        waiting = self._waiting.get(answer.qn)
        if waiting and not waiting.done():
            waiting.set_result(answer)


def _items(values: Values, flags: Mapping[str, str], suffixes: list[str]) -> list[str]:
    return [
        ",".join([*(f"{code}-{s}={value:.6g}" for s in suffixes), f"{code}-Flag={flags.get(code, 'N')}"]) for code, value in values.items()
    ]


def _parts(time: str, items: list[str]) -> list[str]:
    """CP contents of at most LONGEST_CP characters; each part carries DataTime."""
    parts, now = [], time
    for item in items:
        if len(now) + 1 + len(item) > LONGEST_CP and now != time:
            parts.append(now)
            now = time
        now += ";" + item
    return [*parts, now]
