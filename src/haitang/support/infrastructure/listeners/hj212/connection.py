"""One station's connection: frames in, answers out in the order of the packets, each answer after what it answers is stored."""

from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from haitang.base import clock
from haitang.support.infrastructure.listeners.answering import Answering
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
    connections: "set[Connection]" = field(default_factory=set)
    _parts: OrderedDict[tuple[str, str, str], str] = field(default_factory=OrderedDict)

    def time_of_parts(self, packet: Packet) -> str | None:
        """DataTime of the first part of a split packet, for parts that lack it."""
        if (packet.pnum or 1) < 2:
            return None
        key = (packet.mn, packet.qn, packet.cn)
        if told := packet.values.get("datatime"):
            self._parts[key] = told
            if len(self._parts) > 1000:
                self._parts.popitem(last=False)
        return self._parts.get(key)


class Connection(Answering[Frame | Broken, bytes]):
    """From its first byte to its end."""

    def __init__(self, listener: Listener) -> None:
        super().__init__(listener.batcher, IDLE)
        self._listener, self._counters, self._framer = listener, listener.counters, Framer()

    WHOLE = 30.0  # seconds for a frame of a kilobyte

    def opened(self) -> None:
        """HJ 212 has no word for a station that comes when too many are there: it is let go, and comes again."""
        if self.turned_away:
            self.transport.close()
            return
        self._counters.add("connections")
        self._listener.connections.add(self)

    def partly(self) -> bool:
        return self._framer.held > 0

    def too_slow(self) -> None:
        self._counters.add("too_slow")
        self.transport.abort()

    def cut(self, chunk: bytes) -> list[Frame | Broken]:
        return self._framer.feed(chunk)

    def written(self, said: bytes, stored: bool) -> bytes:
        """Nothing is said of what could not be stored: the station sends it again."""
        if not said or not stored or self.transport.is_closing():
            return b""
        self._counters.add("answered")
        return said

    def ended(self) -> None:
        self._listener.connections.discard(self)
        self._listener.links.ended(self.transport)

    def take(self, frame: Frame | Broken) -> Coroutine[Any, Any, None] | None:
        if isinstance(frame, Broken):
            self._counters.add("broken")
            log.info("hj212.broken", reason=frame.reason, address=self.peer)
            return None
        self._counters.add("received")
        now = clock.now()
        try:
            if not frame.encrypted and not crc.matches(frame.segment, frame.check):
                raise _Unanswered("bad_crc")
            packet = _parsed(frame.segment)
            if self._listener.registry.may_admit(packet.mn):
                return self._admit(frame, packet, now)
            self._admitted(frame, packet, now)
        except _Unanswered as reason:
            self._counters.add(reason.count)
        return None

    async def _admit(self, frame: Frame, packet: Packet, now: datetime) -> None:
        """One that is let in provisionally first, which the database is asked for."""
        await self._listener.registry.admit(packet, self.peer)
        try:
            self._admitted(frame, packet, now)
        except _Unanswered as reason:
            self._counters.add(reason.count)

    def _admitted(self, frame: Frame, packet: Packet, now: datetime) -> None:
        """Store the packet if its station is let in; raises _Unanswered."""
        source = self._listener.registry.source_of(packet, self.peer, now)
        if source is None:
            self._counters.knock_of(packet.mn, packet.st, self.peer, now)
            raise _Unanswered("unadmitted")
        opened = not frame.encrypted or source.key is not None
        if frame.encrypted and source.key is not None:
            packet = _parsed(_revealed(frame, source.key))
        holds = source.password is None or source.password == packet.pw
        if opened and holds:
            self._listener.links.heard(packet, source, self.transport)
            self._listener.heard(packet)
        said = b"".join([on_the_wire(packet, answer) for answer in answers(packet, now=now, password_holds=holds)])
        reading = self._reading(packet, source, frame, opened and holds, opened, now)
        if reading.late:
            self._counters.add("late")
        if role(packet) == "reply":
            self._counters.add("replies")
        if reading.observations or reading.set_aside:
            self.store(reading.observations, reading.set_aside, said)
        elif said:
            self.say(said)

    def _reading(self, packet: Packet, source: Source, frame: Frame, trusted: bool, opened: bool, now: datetime) -> Reading:
        if not trusted:
            reason = "wrong_password" if opened else "decryption_failed"
            return Reading(set_aside=[set_aside(source, reason, [f"CN={packet.cn}"], _raw(frame), packet.ref, now)])
        if packet.cn in _STORED_NOWHERE:
            return Reading()
        return interpret(packet, source, raw=_raw(frame), received=now, data_time=self._listener.time_of_parts(packet))


def _raw(frame: Frame) -> str:
    return frame.segment.decode("utf-8", "backslashreplace")


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
