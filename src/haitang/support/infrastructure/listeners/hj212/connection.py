"""One station's connection: frames in, answers out in the order of the packets, each answer after what it answers is stored."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from haitang.base import clock
from haitang.support.infrastructure.listeners.batcher import Batcher
from haitang.support.infrastructure.listeners.hj212 import crc, crypto
from haitang.support.infrastructure.listeners.hj212.answers import answers, on_the_wire, role
from haitang.support.infrastructure.listeners.hj212.counters import Counters
from haitang.support.infrastructure.listeners.hj212.frame import Broken, Frame, Framer
from haitang.support.infrastructure.listeners.hj212.links import Links
from haitang.support.infrastructure.listeners.hj212.observations import Reading, interpret, set_aside
from haitang.support.infrastructure.listeners.hj212.packet import Packet, UnreadablePacketError, parse
from haitang.support.infrastructure.listeners.hj212.registry import Registry
from haitang.support.infrastructure.listeners.hj212.sources import Source

log = structlog.get_logger()
UNANSWERED = 256  # packets of one connection that may wait for their storing before it is read again
UNREAD = 60.0  # seconds that a station may leave answers unread
IDLE = 6 * 3600.0  # seconds of silence after which a connection is given up
_STORED_NOWHERE = {"9011", "9012", "9013", "9014", "9015", "9022"}  # answers and heartbeats say nothing to keep


@dataclass
class Listener:
    """What all connections share."""

    registry: Registry
    batcher: Batcher
    counters: Counters
    links: Links = field(default_factory=Links)
    heard: Callable[[Packet], None] = lambda packet: None  # told every packet of an admitted station under its own password
    _parts: OrderedDict[tuple[str, str, str], str] = field(default_factory=OrderedDict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        self.counters.add("connections")
        peer = (writer.get_extra_info("peername") or ("?",))[0]
        queue: asyncio.Queue[tuple[asyncio.Future[None], bytes]] = asyncio.Queue(UNANSWERED)
        answering = asyncio.create_task(self._answer(queue, writer))
        try:
            await self._read(reader, writer, str(peer), queue, answering)
        finally:
            self.links.ended(writer)
            answering.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await answering
            writer.close()

    async def _read(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        peer: str,
        queue: "asyncio.Queue[tuple[asyncio.Future[None], bytes]]",
        answering: asyncio.Task[None],
    ) -> None:
        framer = Framer()
        with contextlib.suppress(OSError, TimeoutError, asyncio.CancelledError):
            while chunk := await asyncio.wait_for(reader.read(65536), IDLE):
                for frame in framer.feed(chunk):
                    taken = await self.take(frame, peer, writer)
                    if taken:
                        await queue.put(taken)
            # The station has said all it had to say; what it waits for still goes out.
            waiting = asyncio.create_task(queue.join())
            await asyncio.wait({waiting, answering}, return_when=asyncio.FIRST_COMPLETED, timeout=30)
            waiting.cancel()

    async def _answer(self, queue: "asyncio.Queue[tuple[asyncio.Future[None], bytes]]", writer: asyncio.StreamWriter) -> None:
        writable = True
        while True:
            stored, said = await queue.get()
            await asyncio.wait([stored])
            if said and writable and not stored.cancelled():
                writable = await _say(writer, said)
                self.counters.add("answered", writable)
            queue.task_done()

    async def take(
        self, frame: Frame | Broken, peer: str, writer: asyncio.StreamWriter | None = None
    ) -> tuple[asyncio.Future[None], bytes] | None:
        """Take one frame in: what is to be stored, and the bytes to say once it is. None: neither."""
        if isinstance(frame, Broken):
            self.counters.add("broken")
            log.info("hj212.broken", reason=frame.reason, address=peer)
            return None
        self.counters.add("received")
        now = clock.now()
        try:
            packet, source, opened = await self._admitted(frame, peer, now)
        except _Unanswered as reason:
            self.counters.add(reason.count)
            return None
        if opened and _holds(packet, source):
            if writer:
                self.links.heard(packet, source, writer)
            self.heard(packet)
        return await self._store(packet, source, frame, opened, now)

    async def _admitted(self, frame: Frame, peer: str, now: datetime) -> tuple[Packet, Source, bool]:
        """The packet and its station, whose checksum and admission hold; raises _Unanswered."""
        if not frame.encrypted and not crc.matches(frame.segment, frame.check):
            raise _Unanswered("bad_crc")
        packet = _parsed(frame.segment)
        source = await self.registry.source_of(packet, peer, now)
        if source is None:
            self.counters.knock_of(packet.mn, packet.st, peer, now)
            raise _Unanswered("unadmitted")
        if not frame.encrypted:
            return packet, source, True
        if source.key is None:
            return packet, source, False
        return _parsed(_revealed(frame, source.key)), source, True

    async def _store(self, packet: Packet, source: Source, frame: Frame, opened: bool, now: datetime) -> tuple[asyncio.Future[None], bytes]:
        holds = _holds(packet, source)
        said = b"".join(on_the_wire(packet, a) for a in answers(packet, now=now, password_holds=holds))
        reading = self._reading(packet, source, frame, opened and holds, opened, now)
        self.counters.add("late", reading.late)
        if role(packet) == "reply":
            self.counters.add("replies")
        if reading.observations or reading.set_aside:
            return await self.batcher.submit(reading.observations, reading.set_aside), said
        nothing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        nothing.set_result(None)
        return nothing, said

    def _reading(self, packet: Packet, source: Source, frame: Frame, trusted: bool, opened: bool, now: datetime) -> Reading:
        raw = frame.segment.decode("utf-8", "backslashreplace")
        if not trusted:
            reason = "wrong_password" if opened else "decryption_failed"
            return Reading(set_aside=[set_aside(source, reason, [f"CN={packet.cn}"], raw, packet.ref, now)])
        if packet.cn in _STORED_NOWHERE:
            return Reading()
        return interpret(packet, source, raw=raw, received=now, data_time=self._time_of_parts(packet))

    def _time_of_parts(self, packet: Packet) -> str | None:
        """DataTime of the first part of a split packet, for parts that lack it."""
        if (packet.pnum or 1) < 2:
            return None
        key = (packet.mn, packet.qn, packet.cn)
        if told := packet.values.get("datatime"):
            self._parts[key] = told
            if len(self._parts) > 1000:
                self._parts.popitem(last=False)
        return self._parts.get(key)


def _holds(packet: Packet, source: Source) -> bool:
    return source.password is None or source.password == packet.pw


async def _say(writer: asyncio.StreamWriter, said: bytes) -> bool:
    """Whether the station could be told; one that has gone, or does not read, is told nothing more."""
    try:
        writer.write(said)
        await asyncio.wait_for(writer.drain(), UNREAD)
    except (OSError, TimeoutError):
        writer.transport.abort()
        return False
    return True


class _Unanswered(Exception):
    """Nothing is said; `count` is the counter that tells why."""

    def __init__(self, count: str) -> None:
        super().__init__(count)
        self.count = count


def _parsed(segment: bytes) -> Packet:
    try:
        return parse(segment)
    except UnreadablePacketError:
        raise _Unanswered("broken") from None


def _revealed(frame: Frame, key: bytes) -> bytes:
    """The plaintext, whose length and checksum are those on the wire. A wrong key shows as a wrong checksum."""
    try:
        plain = crypto.reveal(frame.segment, key)
    except crypto.DecryptionFailedError:
        raise _Unanswered("broken") from None
    if len(plain) != frame.length or not crc.matches(plain, frame.check):
        raise _Unanswered("bad_crc")
    return plain
