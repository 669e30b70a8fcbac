"""One device's connection: from CONNECT to its end."""

import asyncio
import contextlib

import structlog

from haitang.base import clock
from haitang.support.infrastructure.listeners.known import Known
from haitang.support.infrastructure.listeners.mqtt import admission, reasons, topics
from haitang.support.infrastructure.listeners.mqtt.framer import Framer
from haitang.support.infrastructure.listeners.mqtt.hub import Hub
from haitang.support.infrastructure.listeners.mqtt.packets import (
    V5,
    V311,
    Ack,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Ping,
    Publish,
    Reply,
    Subscribe,
    Unsubscribe,
    Will,
    parse,
)  # fmt: skip
from haitang.support.infrastructure.listeners.mqtt.properties import PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBREC, PUBREL, SUBACK, UNSUBACK
from haitang.support.infrastructure.listeners.mqtt.session import Session, expiry_of
from haitang.support.infrastructure.listeners.mqtt.wire import MqttError, protocol_error
from haitang.support.infrastructure.listeners.mqtt.writing import written

log = structlog.get_logger()
FIRST = 10.0  # seconds in which CONNECT must come
UNSENT = 65536  # bytes that a device has not read, beyond which it is sent no command
UNREAD = 30.0  # seconds that a device may leave what we say unread
HEAR_OUT = 2.0  # seconds to read away what a device still sends after it was told to go
LINGER = 30.0  # seconds at the end for what a device sent to be stored


class Connection:
    """`serve` runs until the connection ends. Acknowledgements go out in the order of the messages, each after its message is durable."""

    version, known = V311, Known("", "", "live")
    session: Session
    _reading: "asyncio.Task[None]"

    def __init__(self, hub: Hub, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._hub, self._reader, self._writer = hub, reader, writer
        self.peer = str((writer.get_extra_info("peername") or ("?",))[0])
        self._limits = admission.Limits()
        self._framer = Framer(admission.LARGEST_PACKET)
        self._aliases: dict[int, str] = {}
        self._open: set[int] = set()  # packet ids of messages not yet acknowledged to the end
        self._acks: asyncio.Queue[tuple[asyncio.Future[None] | None, Ack]] = asyncio.Queue(admission.RECEIVE_MAXIMUM)
        self.unacknowledged: set[int] = set()  # packet ids of commands sent on this connection
        self._will: Will | None = None
        self._connected = self._over = False

    async def serve(self) -> None:
        self._hub.counters.add("connections")
        answering = asyncio.create_task(self._answer())
        self._reading = asyncio.create_task(self._converse(answering))
        try:
            await asyncio.wait([self._reading])
            if not self._reading.cancelled():
                self._reading.result()
        except MqttError as wrong:
            self._hub.counters.add("malformed")
            log.info("mqtt.refused", reason=wrong.text, code=wrong.reason, address=self.peer, thing=self.known.thing)
            await self._refuse(wrong.reason)
        except (OSError, TimeoutError):
            await self._refuse(reasons.KEEP_ALIVE)
        except Exception:
            log.exception("mqtt.failed", address=self.peer, thing=self.known.thing)
            await self._refuse(reasons.UNSPECIFIED)
        finally:
            answering.cancel()
            self._reading.cancel()
            self._leave()
            with contextlib.suppress(OSError, TimeoutError, asyncio.CancelledError):
                await self._hear_out()
            self._writer.close()

    # -- reading -------------------------------------------------------------------------------

    async def _converse(self, answering: asyncio.Task[None]) -> None:
        limit = FIRST
        while not self._over:
            chunk = await asyncio.wait_for(self._reader.read(65536), limit)
            if not chunk:
                break
            for first, body in self._framer.feed(chunk):
                await self._take(parse(first, body, self.version))
                if self._over:
                    break
            limit = self._limits.patience if self._connected else FIRST
        # The device has said all it had to say; what it waits for is still stored, and answered where it listens.
        waiting = asyncio.create_task(self._acks.join())
        await asyncio.wait({waiting, answering}, return_when=asyncio.FIRST_COMPLETED, timeout=LINGER)
        waiting.cancel()

    async def _take(self, packet: Packet) -> None:
        if isinstance(packet, Connect):
            if self._connected:
                raise protocol_error("second CONNECT")
            await self._connect(packet)
            return
        if not self._connected:
            raise protocol_error("no CONNECT at first")
        self._hub.directory.heard(self.known, self.peer)
        match packet:
            case Publish():
                await self._published(packet)
            case Ack():
                await self._acknowledged(packet)
            case Subscribe():
                await self._subscribe(packet)
            case Unsubscribe():
                await self._unsubscribe(packet)
            case Ping(type=kind) if kind == PINGREQ:
                await self._say(Ping(PINGRESP))
            case Disconnect(type=14):
                self._depart(packet)
            case _:
                raise protocol_error("packet that only a server sends")

    async def _connect(self, packet: Connect) -> None:
        self.version = packet.version
        welcome = await admission.admit(self._hub, packet, self.peer)
        if isinstance(welcome, int):
            self._hub.counters.add("refused")
            self._hub.counters.knock(packet.username or packet.client_id, self.peer, clock.now())
            await self._say(Connack(False, reasons.connack(welcome, self.version)))
            self._over = True
            return
        self.known, self._limits, self._will = welcome.known, welcome.limits, packet.will
        if other := self._hub.sessions.connection_of(self.known.thing, welcome.client_id):
            await other.end(reasons.TAKEN_OVER)
        self.session, present = self._hub.sessions.open(self.known.thing, welcome.client_id, clean=packet.clean)
        self.session.connection, self.session.ends_at, self.session.expiry = self, None, welcome.expiry
        self._open |= self.session.received
        self._connected = True
        self._hub.connections.add(self)
        await self._say(Connack(present, reasons.SUCCESS, welcome.properties))
        await self._hub.commands.resume(self.session)

    # -- messages of the device ----------------------------------------------------------------

    async def _published(self, packet: Publish) -> None:
        topic = self._topic(packet)
        if packet.retain and self.version == V5:
            raise MqttError(reasons.NO_RETAIN, "retained messages are not kept")
        if packet.qos and packet.packet_id in self.session.received:
            await self._acks.put((None, Ack(PUBREC, packet.packet_id)))  # sent again: it is stored already
            return
        if packet.qos and len(self._open) >= admission.RECEIVE_MAXIMUM and packet.packet_id not in self._open and self.version == V5:
            raise MqttError(reasons.TOO_MANY, "more messages than the receive maximum")
        if refused := self._refusal(topic, packet):
            await self._refuse_message(packet, refused)
            return
        stored = await self._hub.take(topic, packet.payload, self.known, packet.properties)
        if not packet.qos:
            return
        self._open.add(packet.packet_id)
        await self._acks.put((stored, Ack(PUBACK if packet.qos == 1 else PUBREC, packet.packet_id)))

    def _topic(self, packet: Publish) -> str:
        """The topic of a message, by its alias where it has one."""
        alias = packet.properties.get("topic_alias")
        if alias is not None:
            if alias > admission.TOPIC_ALIASES:
                raise MqttError(reasons.BAD_ALIAS, "topic alias above the maximum")
            if packet.topic:
                self._aliases[alias] = packet.topic
            elif alias not in self._aliases:
                raise protocol_error("topic alias that was never set")
            return self._aliases[alias]
        if not packet.topic and self.version == V5:
            raise protocol_error("neither topic nor alias")
        return packet.topic

    def _refusal(self, topic: str, packet: Publish) -> int:
        if not topics.is_name(topic):
            return reasons.BAD_TOPIC
        if not self._hub.may_publish(topic, self.known):
            return reasons.NOT_AUTHORIZED
        if packet.properties.get("payload_format_indicator") == 1 and not _is_text(packet.payload):
            return reasons.BAD_PAYLOAD
        return 0

    async def _refuse_message(self, packet: Publish, reason: int) -> None:
        """Nothing of it is kept, and the device is told: with a reason in 5, by the end of the connection in 3.1.1, which has no word for it."""
        self._hub.counters.add("not_authorized")
        if self.version != V5 or reason == reasons.BAD_TOPIC:
            raise MqttError(reason, f"publish to {packet.topic[:100]!r}")
        if packet.qos:
            await self._acks.put((None, Ack(PUBACK if packet.qos == 1 else PUBREC, packet.packet_id, reason)))

    async def _acknowledged(self, packet: Ack) -> None:
        number = packet.packet_id
        if packet.type == PUBREL:
            known = number in self.session.received
            self.session.received.discard(number)
            self._open.discard(number)
            await self._acks.put((None, Ack(PUBCOMP, number, 0 if known or self.version == V311 else reasons.UNKNOWN_PACKET_ID)))
        elif packet.type == PUBACK:
            await self._hub.commands.acknowledged(self.session, number, packet.reason)
            await self._hub.commands.resume(self.session)
        else:
            raise protocol_error("acknowledgement of a QoS that we never send")

    async def _answer(self) -> None:
        while True:
            stored, ack = await self._acks.get()
            if stored is not None:
                await asyncio.wait([stored])
            if stored is not None and (stored.cancelled() or stored.exception()):
                await self.end(reasons.CANNOT)
            else:
                await self._said(ack)
            self._acks.task_done()

    async def _said(self, ack: Ack) -> None:
        if ack.type == PUBREC and ack.reason < reasons.UNSPECIFIED:
            self.session.received.add(ack.packet_id)
        elif ack.type != PUBCOMP:
            self._open.discard(ack.packet_id)
        self._hub.counters.add("acknowledged", ack.type in (PUBACK, PUBREC) and not ack.reason)
        await self._say(ack)

    # -- subscriptions -------------------------------------------------------------------------

    async def _subscribe(self, packet: Subscribe) -> None:
        if packet.properties.get("subscription_identifier"):
            raise MqttError(reasons.NO_IDENTIFIERS, "subscription identifiers are not available")
        given = []
        for asked in packet.topics:
            reason = topics.grants(asked.topic, self.known.thing)
            if reason == reasons.SUCCESS:
                self.session.subscriptions[asked.topic] = min(asked.qos, 1)
                reason = min(asked.qos, 1)
            given.append(reasons.suback(reason, self.version))
        await self._say(Reply(SUBACK, packet.packet_id, tuple(given)))
        await self._hub.commands.resume(self.session)

    async def _unsubscribe(self, packet: Unsubscribe) -> None:
        gone = [self.session.subscriptions.pop(topic, None) is not None for topic in packet.topics]
        await self._say(Reply(UNSUBACK, packet.packet_id, tuple(0 if there else reasons.NO_SUBSCRIPTION for there in gone)))

    # -- commands ------------------------------------------------------------------------------

    def takes_command(self) -> bool:
        """Whether one more command may be sent now: subscribed, below the device's receive maximum, and read so far."""
        free = len(self.unacknowledged) < self._limits.receive_maximum and self._writer.transport.get_write_buffer_size() < UNSENT
        return bool(self.session.subscriptions) and not self._over and free

    def send(self, message: Publish) -> bool:
        """Send a message to the device without waiting for it, so that one that does not read holds up no other; False where it is larger than it takes."""
        data = written(message, self.version)
        if len(data) > self._limits.largest:
            return False
        self._writer.write(data)
        return True

    # -- the end -------------------------------------------------------------------------------

    def _depart(self, packet: Disconnect) -> None:
        told = packet.properties.get("session_expiry_interval")
        if told is not None:
            if told and not self.session.expiry:
                raise protocol_error("session expiry set at the end, which was zero")
            self.session.expiry = expiry_of(told)
        if packet.reason != reasons.WITH_WILL:
            self._will = None
        self._over = True

    async def end(self, reason: int) -> None:
        """End the connection from our side, telling why where the version can."""
        if not self._over:
            await self._refuse(reason)

    async def _refuse(self, reason: int) -> None:
        self._over = True
        if self._connected:
            if self.version == V5:
                await self._say(Disconnect(reason))
        elif reason not in (reasons.KEEP_ALIVE, reasons.MALFORMED, reasons.PROTOCOL_ERROR):
            await self._say(Connack(False, reasons.connack(reason, self.version)))
        if self._reading is not asyncio.current_task():
            self._reading.cancel()

    async def _hear_out(self) -> None:
        """Closing a socket with unread bytes resets it, and the device may never read why: so those are read away first."""
        if self._writer.is_closing() or self._reader.at_eof():
            return
        self._writer.write_eof()
        async with asyncio.timeout(HEAR_OUT):
            while await self._reader.read(65536):
                pass

    def _leave(self) -> None:
        self._hub.connections.discard(self)
        if not self._connected:
            return
        session = self.session
        if session.connection is self:
            session.leave()
        if self._will:
            session.will = asyncio.create_task(self._publish_will(self._will, session.expiry))

    async def _publish_will(self, will: Will, expiry: int) -> None:
        """The device's last word, after its delay, but no later than its session ends."""
        await asyncio.sleep(min(will.properties.get("will_delay_interval", 0), expiry))
        await self._hub.take(will.topic, will.payload, self.known, will.properties)
        self._hub.counters.add("wills")

    async def _say(self, packet: Packet) -> None:
        """Write, and wait for a device that reads slowly; one that does not read is given up."""
        try:
            self._writer.write(written(packet, self.version))
            await asyncio.wait_for(self._writer.drain(), UNREAD)
        except (OSError, TimeoutError):
            self._over = True
            self._writer.transport.abort()


def _is_text(payload: bytes) -> bool:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
