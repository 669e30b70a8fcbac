"""A device's connection as both TCP listeners have it: units in, answers out in the order of the units, each after what it answers is stored.

Everything happens in callbacks of the event loop: no task, queue or timer for a packet. What is held is bounded: beyond MOST unanswered units, while the batcher
is full, while a unit needs the database and while the device does not read, nothing more is taken in, and TCP tells the device to wait.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Generic, TypeVar, cast

import structlog

from haitang.support.infrastructure.listeners import serving
from haitang.support.infrastructure.listeners.batcher import Batcher
from haitang.support.infrastructure.stream.messages import Observation, SetAside

log = structlog.get_logger()
Unit = TypeVar("Unit")
Said = TypeVar("Said")


class _Answer(Generic[Said]):
    """One that is owed. `stored`: None while what it answers is on its way to the disk."""

    __slots__ = ("connection", "said", "stored")

    def __init__(self, connection: "Answering[Any, Said]", said: Said) -> None:
        self.connection, self.said = connection, said
        self.stored: bool | None = None

    def done(self, stored: bool) -> None:
        self.stored = stored
        self.connection.flush_soon()


class Answering(asyncio.Protocol, Generic[Unit, Said]):
    """A listener derives from it: how bytes become units (`cut`), what one is (`take`), what is said (`written`)."""

    MOST = 256  # units of one connection that may wait for their answers
    UNREAD = 60.0  # seconds that a device may leave what we say unread
    LINGER = 30.0  # seconds at the end for what a device sent to be stored
    FIRST = 600.0  # seconds in which something whole must have come at first
    WHOLE = 60.0  # seconds in which what has begun must be whole
    HEARING = 5.0  # seconds in which one that is turned away may ask, to hear why
    transport: asyncio.Transport
    there = False  # whether the connection was ever ours
    turned_away = ""  # why it may not stay (gate.enter)
    leave: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, batcher: Batcher, patience: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._batcher, self._patience = batcher, patience
        self._units: deque[Unit | Exception] = deque()
        self._owed: deque[_Answer[Said]] = deque()
        self._heard_at = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._slow: asyncio.TimerHandle | None = None
        self._begun: float | None = None  # since when something has been coming that is not whole yet
        self._first = True
        self._working: asyncio.Task[None] | None = None
        self._flushing = self._asked = self._paused = self._at_end = self._finished = self.at_eof = self.gone = False
        self.peer = "?"

    # -- what a listener says ------------------------------------------------------------------

    def opened(self) -> None:
        """The connection is there."""

    def cut(self, chunk: bytes) -> Iterable[Unit]:
        """The units that are whole now."""
        raise NotImplementedError

    def take(self, unit: Unit) -> Coroutine[Any, Any, None] | None:
        """Take one in. What it gives, if anything, is awaited before the next one is taken."""
        raise NotImplementedError

    def written(self, said: Said, stored: bool) -> bytes:
        """What to send now, its turn having come."""
        raise NotImplementedError

    def partly(self) -> bool:
        """Whether bytes wait for the rest of a unit."""
        raise NotImplementedError

    def too_slow(self) -> None:
        """Nothing whole came in FIRST seconds, or what had begun was not whole after WHOLE: a device that works is quicker."""
        self.transport.abort()

    def silent(self) -> None:
        """Nothing was heard for `patience` seconds."""
        self.transport.close()

    def failed(self, reason: Exception) -> None:
        """Taking in went wrong."""
        log.error("listener.connection_failed", address=self.peer, exc_info=reason)
        self.transport.abort()

    def finished(self) -> None:
        """What the device sent is stored and answered, and no more is to come."""
        self.transport.close()

    def ended(self) -> None:
        """The connection is gone."""

    # -- what a listener may use ---------------------------------------------------------------

    def store(self, observations: list[Observation], set_aside: list[SetAside], said: Said) -> None:
        """Store what a unit brought and say this after it."""
        answer = _Answer(self, said)
        self._owed.append(answer)
        self._batcher.put(observations, set_aside, answer.done)

    def say(self, said: Said) -> None:
        """Say this in its turn; there is nothing to store."""
        answer = _Answer(self, said)
        self._owed.append(answer)
        answer.done(True)

    def wait_for(self, patience: float) -> None:
        """From now on give up after so many seconds of silence."""
        self._patience = patience
        self._look_later()

    def finish(self) -> None:
        """No more is taken in than what has come; `finished` follows once that is answered."""
        self._at_end = True
        self._loop.call_later(self.LINGER, self.transport.close)
        self._go_on()

    def finish_now(self) -> None:
        """Nothing that waits is taken in or answered any more."""
        self._at_end = True
        self._units.clear()
        self._owed.clear()
        if self._working and self._working is not _current():
            self._working.cancel()
        self._go_on()

    # -- the event loop's side -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.there = cast(asyncio.Transport, transport), True
        self.peer = str((transport.get_extra_info("peername") or ("?",))[0])
        serving.keep_alive(self.transport)
        self._look_later()
        self._slow = self._loop.call_later(self.HEARING if self.turned_away else self.FIRST, self._look_whether_slow)
        self.opened()

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        try:
            if not self._at_end:
                before = len(self._units)
                self._units.extend(self.cut(data))
                self._note_whole(len(self._units) > before)
        except Exception as reason:  # has its turn after what came before it
            self._units.append(reason)
        self._go_on()

    def eof_received(self) -> bool:
        """The device has said all it had to say; what it waits for still goes out."""
        self.at_eof = True
        if self._finished:
            self.transport.close()
        else:
            self.finish()
        return True

    def connection_lost(self, reason: Exception | None) -> None:
        if not self.there:  # hands were not shaken
            return
        self.gone = True
        for timer in (self._watch, self._unread, self._slow):
            if timer:
                timer.cancel()
        self.leave()
        self.ended()

    def pause_writing(self) -> None:
        self._unread = self._loop.call_later(self.UNREAD, self.transport.abort)

    def resume_writing(self) -> None:
        if self._unread:
            self._unread.cancel()
            self._unread = None
        self._go_on()

    # -- units in ------------------------------------------------------------------------------

    def _held(self) -> bool:
        if self._batcher.full and not self._asked:
            self._asked = True
            self._batcher.when_free(self._freed)
        return self._asked or self._working is not None or len(self._owed) >= self.MOST or self._unread is not None

    def _freed(self) -> None:
        self._asked = False
        self._go_on()

    def _go_on(self) -> None:
        """Take in what may be taken in, and read on or not."""
        while self._units and not self._held():
            unit = self._units.popleft()
            try:
                if isinstance(unit, Exception):
                    raise unit
                work = self.take(unit)
            except Exception as reason:
                self._units.clear()
                self.failed(reason)
                return
            if work is not None:
                self._working = self._loop.create_task(self._work(work))
                self._working.add_done_callback(self._worked)
        if self.gone:
            return
        if self._at_end and not self._finished and not self._units and not self._owed and self._working is None:
            self._finished = True
            self.finished()
        if self._finished:
            if self._paused and not self.transport.is_closing():
                self._paused = False
                self.transport.resume_reading()
        elif self._paused is not self._held():
            self._paused = not self._paused
            (self.transport.pause_reading if self._paused else self.transport.resume_reading)()

    async def _work(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as reason:
            self._units.clear()
            self.failed(reason)

    def _worked(self, work: "asyncio.Task[None]") -> None:
        self._working = None
        self._go_on()

    def _note_whole(self, some: bool) -> None:
        if some:
            self._first, self._begun = False, None
        if self._begun is None and self.partly():
            self._begun = self._loop.time()
            if self._slow is None or self._slow.when() > self._begun + self.WHOLE:
                self._watch_begun(self._begun)

    def _look_whether_slow(self) -> None:
        """One timer a connection, set anew while something is on its way; what we hold up is not slow."""
        self._slow = None
        if self._at_end or self.gone:
            return
        if self._paused and self._begun is not None:
            self._begun = self._loop.time()
        late = self._begun is not None and self._loop.time() - self._begun >= self.WHOLE
        if self._first or late:
            self.too_slow()
        elif self._begun is not None:
            self._watch_begun(self._begun)

    def _watch_begun(self, since: float) -> None:
        if self._slow:
            self._slow.cancel()
        self._slow = self._loop.call_at(since + self.WHOLE, self._look_whether_slow)

    # -- answers out ---------------------------------------------------------------------------

    def flush_soon(self) -> None:
        """One write for all that a batch has answered."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        out, owed = list[bytes](), self._owed
        while owed and (stored := owed[0].stored) is not None:
            out.append(self.written(owed.popleft().said, stored))
        if not self.gone and not self._finished and not self.transport.is_closing() and (told := b"".join(out)):
            self.transport.write(told)
        self._go_on()

    def _look_later(self) -> None:
        if self._watch:
            self._watch.cancel()
        self._watch = self._loop.call_at(self._heard_at + self._patience, self._look)

    def _look(self) -> None:
        """Give up one that says nothing; while we hold it up, its silence is not its own."""
        if self._paused or self._owed:
            self._heard_at = self._loop.time()
        if self._loop.time() - self._heard_at >= self._patience:
            self.silent()
        else:
            self._look_later()


def _current() -> "asyncio.Task[Any] | None":
    """The task that runs now; a callback of the event loop is none."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
