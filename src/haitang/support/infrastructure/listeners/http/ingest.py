"""What becomes of one message by HTTP: signed in, decoded, stored, answered."""

import asyncio
import base64
import binascii
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from haitang.base import clock
from haitang.base.errors import error
from haitang.base.ids import new_id
from haitang.support.infrastructure.listeners.batcher import Batcher
from haitang.support.infrastructure.listeners.counters import Counters
from haitang.support.infrastructure.listeners.directory import Directory
from haitang.support.infrastructure.listeners.elements import is_timeless, read
from haitang.support.infrastructure.listeners.http.answers import said
from haitang.support.infrastructure.listeners.http.decoding import decode
from haitang.support.infrastructure.listeners.http.first_come import FirstCome
from haitang.support.infrastructure.listeners.http.remembered import Answer, Remembered
from haitang.support.infrastructure.listeners.known import Known
from haitang.support.infrastructure.listeners.rights import OBSERVE
from haitang.support.infrastructure.listeners.rights import refused as refusal
from haitang.support.infrastructure.stream.client import Stream

NO_CREDENTIAL = error("http.no_credential", 401, "请出示设备凭据：Basic 标识:密钥，或 Bearer 标识.密钥。")
ID_REUSED = error("http.id_reused", 409, "消息编号“{id}”已用于另一条内容不同的消息，请换一个编号。")
BAD_ID = error("http.bad_id", 400, "消息编号须为 1 到 128 个可见 ASCII 字符。")
BUSY = error("http.busy", 429, "同一设备同时发送的消息过多，请等前面的消息得到答复后再发。")
NOT_STORED = error("http.not_stored", 503, "数据暂时无法入库，请稍后用同一消息编号重发。")
AT_ONCE = 16  # messages of one device that may wait for their answers
PATIENCE = 20.0  # seconds to wait for the stream
PART = 1500  # observations that go into one message of the stream
LONGEST_ID = 128
LATER = {429: 1, 503: 5}  # Retry-After, seconds


@dataclass
class Ingest:
    """The parts that every request shares."""

    stream: Stream
    directory: Directory
    batcher: Batcher
    counters: Counters
    first_come: FirstCome
    remembered: Remembered = field(default_factory=Remembered)
    _waiting: Counter[str] = field(default_factory=Counter)
    _turn: asyncio.Lock = field(
        default_factory=asyncio.Lock
    )  # one large message at a time: pages, which the same loop passes on, are answered in between

    async def sign_in(self, authorization: str, address: str) -> Known:
        """Raises NO_CREDENTIAL, and NOT_ALLOWED where policies do not let the device report."""
        identifier, secret = _told(authorization)
        known = await self.directory.sign_in(identifier, secret, address)
        if known is None:
            self.counters.add("refused")
            self.counters.knock(identifier or "-", address, clock.now())
            raise NO_CREDENTIAL()
        if not known.rights.observe:
            self.counters.add("refused")
            self.directory.refusals.note(known.rights, OBSERVE, "HTTP POST /api/data/observations")
            raise refusal(known.rights, OBSERVE)
        return known

    async def take(self, known: Known, id: str, body: bytes) -> tuple[str, Answer]:
        """Store a message and give its id and answer; the same again gives the same. Raises what a message can be refused for."""
        if self._waiting[known.thing] >= AT_ONCE:
            raise BUSY()
        self._waiting[known.thing] += 1
        try:
            return await self._take(known, id, body)
        finally:
            self._waiting[known.thing] -= 1
            if not self._waiting[known.thing]:
                del self._waiting[known.thing]

    async def _take(self, known: Known, id: str, body: bytes) -> tuple[str, Answer]:
        digest = hashlib.sha256(body).digest()
        async with self._turn:
            message = decode(body)
        timeless, given = any(map(is_timeless, message.elements)), id or message.id
        # What says neither what it is nor when is each time another message: a reading that did not change is one all the same.
        id = given or (f"new:{new_id().hex}" if timeless else f"sha256:{digest.hex()[:32]}")
        if not (0 < len(id) <= LONGEST_ID and id.isascii() and id.isprintable()):
            raise BAD_ID()
        if before := self.remembered.find(known.thing, id):
            answer = await _promised(before)
            if answer.digest != digest:
                raise ID_REUSED(id=id)
            self.counters.add("again")
            return id, answer
        if not self.stream.connected:
            raise NOT_STORED()
        promise = self.remembered.begin(known.thing, id)
        try:
            now = await self._came(known, id, digest) if timeless and given else clock.now()
            async with self._turn:
                good, bad = read(message.elements, known, id, now, message.positions)
            await self._store(good)
            refused = sorted([*message.refused, *bad], key=lambda each: each.index)
            answer = Answer(digest, 422 if refused else 200, msgspec.json.encode(said(id, len(good), refused)))
        except BaseException:
            self.remembered.forget(known.thing, id)
            raise
        promise.set_result(answer)
        return id, answer

    async def _came(self, known: Known, id: str, digest: bytes) -> datetime:
        """When the message first came; raises NOT_STORED where the disk is full."""
        try:
            return await self.first_come.of(known.thing, id, digest, clock.now())
        except OSError:
            raise NOT_STORED() from None

    async def _store(self, observations: list[Any]) -> None:
        """Raises NOT_STORED where the stream does not answer in time; whether it is stored is then unknown, and the same id again is right."""
        self.counters.add("received")
        parts = [observations[n : n + PART] for n in range(0, len(observations), PART)]
        try:
            async with asyncio.timeout(PATIENCE):
                stored = [await self.batcher.submit(part, []) for part in parts]
                await asyncio.gather(*(asyncio.shield(each) for each in stored))
        except (TimeoutError, asyncio.CancelledError) as reason:
            if isinstance(reason, asyncio.CancelledError) and (task := asyncio.current_task()) and task.cancelling():
                raise
            raise NOT_STORED() from None


async def _promised(before: "asyncio.Future[Answer]") -> Answer:
    """The answer to the same message, which may just be being stored; raises NOT_STORED where that failed."""
    await asyncio.wait([before])
    if before.cancelled():
        raise NOT_STORED()
    return before.result()


def _told(authorization: str) -> tuple[str, str]:
    """Identifier and secret of an Authorization header."""
    scheme, _, told = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        identifier, _, secret = told.strip().partition(".")
        return identifier, secret
    if scheme.lower() != "basic":
        return "", ""
    try:
        identifier, _, secret = base64.b64decode(told.strip(), validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return identifier, secret
