"""The stream, as listeners publish to it and durable consumers read from it.

    stream = await connect()
    await stream.ensure()                        # before the first publish: interest retention drops what nobody wants
    seq = await stream.publish(batch)            # returns only after JetStream has it on disk
    for delivered in await stream.consumer("writer").fetch():
        ...
        await delivered.ack()

A batch is published under its id (`Nats-Msg-Id`), so that a retry after a lost acknowledgement, a leader change or a reconnect stays one message.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import msgspec
import nats
import structlog
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from haitang.base.errors import HaitangError, error
from haitang.base.settings import settings
from haitang.support.infrastructure.stream import unanswered
from haitang.support.infrastructure.stream.messages import STREAM, SUBJECT, Batch, decode, encode

log = structlog.get_logger()

STREAM_UNAVAILABLE = error("stream.unavailable", 503, "消息流在 {seconds} 秒内没有确认（{reason}），数据尚未入流，请检查 NATS 服务。")
BATCH_TOO_LARGE = error("stream.batch_too_large", 413, "一批数据有 {bytes} 字节，超过消息流允许的大小，请减小批量。")

CONSUMERS = ("writer", "rules")
MAX_BYTES = 900 * 1024**2  # about 8 million observations: a day of a busy district, should the lake be away; fits a small disk
DUPLICATE_WINDOW = 600.0  # seconds; longer than any leader change or restart that a publisher rides out
ACK_WAIT = 60.0  # seconds until an unacknowledged message is delivered again
SOON, LOOKED_THROUGH, TRIES = 0.01, 0.4, 10  # ACK_WAIT for a moment; seconds in which the server has looked (after 0.1)
NO_MORE = ("404", "408")  # what the server says of a request: nothing there, or its time is over
ANSWERED = 1.0  # seconds in which the server says what is there
ATTEMPT = 2.0  # seconds to wait for one acknowledgement before the same id is sent again
MADE = 15.0  # seconds in which the server has made or changed a stream or a consumer: it writes to its disk for that, which may be busy


def config_of(consumer: str, ack_wait: float = 0.0) -> ConsumerConfig:
    """How a durable consumer is set up; `ack_wait` where it is not to be ACK_WAIT."""
    wait = ack_wait or ACK_WAIT
    return ConsumerConfig(durable_name=consumer, ack_policy=AckPolicy.EXPLICIT, ack_wait=wait, max_deliver=-1, max_ack_pending=20_000)


class StreamUnavailable(HaitangError):
    """The stream did not acknowledge a batch before the deadline."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(STREAM_UNAVAILABLE, {"seconds": seconds, "reason": reason})


@dataclass(frozen=True)
class Delivered:
    """One message of the stream: `seq` is its sequence number, the same at each redelivery and for each consumer."""

    seq: int
    batch: Batch
    ack: Callable[[], Awaitable[None]]  # tells the stream that this consumer is done; lost, it brings the message again: know it by `seq`


class Consumer:
    """A durable pull consumer of one process. What was delivered and not acknowledged when the process died or its connection broke comes again at once."""

    def __init__(self, connection: Any, link: "Link", name: str) -> None:
        self._connection, self._link, self.name = connection, link, name
        self._subscription: Any = None
        self._inbox: Any = None
        self._losses = -1  # of the connection, when what nobody acknowledged was last asked for

    async def fetch(self, max_batches: int = 64, wait: float = 0.5, *, at_once: bool = False) -> list[Delivered]:
        """Up to `max_batches` messages, oldest first; an empty list when none came within `wait` seconds or the server is away.

        Fewer than `max_batches` are gathered until `wait` seconds are over; with `at_once` what is there is given as soon as there is one.
        """
        try:
            if self._losses != self._link.losses:
                await self._redeliver()
            if at_once:
                messages = await self._there(max_batches, wait)
            else:
                if self._subscription is None:
                    self._subscription = await self._connection.jetstream().pull_subscribe_bind(consumer=self.name, stream=STREAM)
                messages = await self._subscription.fetch(max_batches, timeout=wait)
        except (NatsError, TimeoutError) as reason:
            if not isinstance(reason, TimeoutError):
                log.warning("stream.fetch_failed", consumer=self.name, reason=str(reason))
                await asyncio.sleep(wait)
            return []
        return [delivered for message in messages if (delivered := self._delivered(message))]

    async def _redeliver(self) -> None:
        """Bring back what was delivered to nobody that is still there, without waiting for ACK_WAIT: a change of that wait makes the server look through what
        is not acknowledged. What this process is working on may come as well; it is known by its number."""
        losses, jetstream = self._link.losses, self._connection.jetstream(timeout=ATTEMPT)
        for _ in range(TRIES if (await jetstream.consumer_info(STREAM, self.name)).num_ack_pending else 0):
            await jetstream.add_consumer(STREAM, config_of(self.name, ack_wait=SOON))
            await asyncio.sleep(LOOKED_THROUGH)
            now = (await jetstream.consumer_info(STREAM, self.name)).config
            if now.ack_wait < ACK_WAIT:  # else another process that started has set it back too early
                break
        await jetstream.add_consumer(STREAM, config_of(self.name))
        self._losses = losses

    async def _there(self, most: int, wait: float) -> list[Any]:
        """What is there; where nothing is, the next message that comes and what came with it. Raises TimeoutError."""
        if self._inbox is None:
            self._inbox = await self._connection.subscribe(self._connection.new_inbox())
        found = await self._asked(most, {"no_wait": True}, ANSWERED)
        if not found:
            found = await self._asked(1, {"expires": int(wait * 1e9)}, wait + ANSWERED)
            if found and most > 1:
                with suppress(NatsError, TimeoutError):  # the one that came is here, though the connection broke since
                    found += await self._asked(most - 1, {"no_wait": True}, ANSWERED)
        return found

    async def _asked(self, most: int, how: dict[str, Any], wait: float) -> list[Any]:
        """The messages of one request, whose end is their number or the server's word (a status) that there are no more."""
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{self.name}"
        await self._connection.publish(subject, json.dumps({"batch": most, **how}).encode(), reply=self._inbox.subject)
        found: list[Any] = []
        until = time.monotonic() + wait
        while len(found) < most:
            try:
                message = await self._inbox.next_msg(max(until - time.monotonic(), 0.001))
            except NatsTimeoutError:
                if found:
                    return found
                raise
            if message.headers and (status := message.headers.get("Status")):
                if status not in NO_MORE and not found:
                    raise NatsError(f"{status} {message.headers.get('Description', '')}")
                break
            found.append(message)
        return found

    def _delivered(self, message: Any) -> Delivered | None:
        seq = message.metadata.sequence.stream
        try:
            return Delivered(seq, decode(message.data), message.ack)
        except msgspec.DecodeError as reason:
            # Not acknowledged: it stays on the stream and comes again, until a version that reads it runs.
            log.error("stream.unreadable_message", consumer=self.name, seq=seq, reason=str(reason))
            return None


class Link:
    """How often a connection was lost. Who waits for an answer over it then waits no longer: none will come."""

    def __init__(self) -> None:
        self.losses = 0
        self._waiting: set[asyncio.Timeout] = set()

    async def lost(self) -> None:
        self.losses += 1
        waiting, self._waiting = self._waiting, set()
        for each in waiting:
            each.reschedule(0)

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """Raises TimeoutError when the connection is lost in the block."""
        async with asyncio.timeout(None) as scope:
            self._waiting.add(scope)
            try:
                yield
            finally:
                self._waiting.discard(scope)


class Stream:
    """A connection to the stream `OBSERVATIONS`."""

    def __init__(self, connection: Any, link: Link) -> None:
        self._connection, self._link = connection, link
        self._jetstream = connection.jetstream(timeout=ATTEMPT)
        self._unanswered = False

    async def ensure(self, *, max_bytes: int = MAX_BYTES) -> None:
        """Create or update the stream and its durable consumers."""
        config = StreamConfig(
            name=STREAM,
            subjects=[f"{SUBJECT}.>"],
            retention=RetentionPolicy.INTEREST,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,
            max_bytes=max_bytes,
            duplicate_window=DUPLICATE_WINDOW,
        )
        jetstream = self._connection.jetstream(timeout=MADE)
        try:
            await jetstream.stream_info(STREAM)
            await jetstream.update_stream(config)
        except NotFoundError:
            await jetstream.add_stream(config)
        for name in CONSUMERS:
            await jetstream.add_consumer(STREAM, config_of(name))

    async def identity(self) -> str:
        """What tells this stream from one made anew under the same name (whose numbers start at 1 again): when it was created."""
        info = await self._jetstream.stream_info(STREAM)
        return str(info.created.isoformat() if info.created else "")

    async def publish(self, batch: Batch, *, deadline: float = 30.0) -> int:
        """Publish and return the sequence number once JetStream has stored the batch.

        Retries under the same id until `deadline` seconds have passed, then raises StreamUnavailable: whether the batch is stored is then unknown, and
        publishing it again with the same id is right. Raises BATCH_TOO_LARGE for a batch over the server's max_payload.
        """
        data, give_up, reason = encode(batch), time.monotonic() + deadline, "未连接"
        while time.monotonic() < give_up:
            losses = self._link.losses
            try:
                if self._connection.is_connected:
                    return await self._attempt(batch, data)
            except MaxPayloadError:
                raise BATCH_TOO_LARGE(bytes=len(data)) from None
            except (NatsError, TimeoutError, OSError) as failure:
                reason = str(failure) or type(failure).__name__
                log.warning("stream.publish_retried", batch=batch.id, reason=reason)
                if isinstance(failure, TimeoutError) and self._connection.is_connected and losses == self._link.losses:
                    self._unanswered = True
                    unanswered.note(settings().run)
            await asyncio.sleep(0.1)
        raise StreamUnavailable(deadline, reason)

    async def _attempt(self, batch: Batch, data: bytes) -> int:
        subject = f"{SUBJECT}.{batch.listener}"
        async with self._link.answering():
            acknowledged = await self._jetstream.publish(subject, data, timeout=ATTEMPT, stream=STREAM, headers={"Nats-Msg-Id": batch.id})
        if self._unanswered:
            self._unanswered = False
            unanswered.take_back(settings().run)
        return int(acknowledged.seq)

    def consumer(self, name: str) -> Consumer:
        """The durable consumer `name` (one of CONSUMERS)."""
        return Consumer(self._connection, self._link, name)

    async def pending(self, consumer: str) -> int:
        """How many messages wait for `consumer` (delivered without acknowledgement included)."""
        info = await self._jetstream.consumer_info(STREAM, consumer)
        return int(info.num_pending) + int(info.num_ack_pending)

    async def last(self) -> int:
        """The number of the newest message that the stream has taken."""
        return int((await self._jetstream.stream_info(STREAM)).state.last_seq)

    async def is_done(self, consumer: str, number: int) -> bool:
        """Whether `consumer` has acknowledged every message up to this number."""
        info = await self._jetstream.consumer_info(STREAM, consumer)
        return int(info.num_pending) + int(info.num_ack_pending) == 0 or int(info.ack_floor.stream_seq) >= number

    @property
    def connected(self) -> bool:
        return bool(self._connection.is_connected)

    async def close(self) -> None:
        await self._connection.close()


async def _note(reason: Exception) -> None:
    log.warning("stream.connection", reason=str(reason) or type(reason).__name__)


async def connect(url: str | None = None) -> Stream:
    """Connect to the NATS server at `url` (default: the setting `nats_url`) and stay connected through its restarts."""
    link = Link()
    connection = await nats.connect(
        url or settings().nats_url,
        name="haitang",
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,
        connect_timeout=2,
        ping_interval=10,
        max_outstanding_pings=2,
        error_cb=_note,
        disconnected_cb=link.lost,
    )
    return Stream(connection, link)
