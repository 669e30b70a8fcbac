"""One device's connection: from CONNECT to its end."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import structlog

from haitang.base import clock
from haitang.support.infrastructure.listeners.answering import Answering
from haitang.support.infrastructure.listeners.known import Known
from haitang.support.infrastructure.listeners.mqtt import admission, reasons, topics
from haitang.support.infrastructure.listeners.mqtt.aliases import Aliases
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
from haitang.support.infrastructure.listeners.places import FULL_FOR_ADDRESS

log = structlog.get_logger()
UNSENT = 65536  # bytes that a device has not read, beyond which it is sent no command
HEAR_OUT = 2.0  # seconds to read away what a device still sends after it was told to go


class Connection(Answering[tuple[int, bytes], Ack]):
    """Acknowledgements go out in the order of the messages, each after its message is durable."""

    MOST, UNREAD, LINGER = admission.RECEIVE_MAXIMUM, 30.0, 30.0
    FIRST = 10.0  # CONNECT
    version, known = V311, Known("", "", "live")
    session: Session

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub.batcher, self.FIRST)
        self._hub = hub
        self._limits = admission.Limits()
        self._framer = Framer(admission.LARGEST_PACKET)
        self._aliases = Aliases()
        self._open: set[int] = set()  # packet ids of messages not yet acknowledged to the end
        self.unacknowledged: set[int] = set()  # packet ids of commands sent on this connection
        self._will: Will | None = None
        self._route: tuple[str, Known, tuple[str, str] | None] = ("", self.known, None)
        self._connected = self._over = self._left = False

    def opened(self) -> None:
        self._hub.counters.add("connections")
        self._hub.all.add(self)

    def failed(self, reason: Exception) -> None:
        if isinstance(reason, MqttError):
            self._hub.counters.add("malformed")
            log.info("mqtt.refused", reason=reason.text, code=reason.reason, address=self.peer, thing=self.known.thing)
            self._refuse(reason.reason)
        else:
            log.error("mqtt.failed", address=self.peer, thing=self.known.thing, exc_info=reason)
            self._refuse(reasons.UNSPECIFIED)

    def silent(self) -> None:
        if self._first and not self._over:
            self.too_slow()
        else:
            self._refuse(reasons.KEEP_ALIVE)

    def partly(self) -> bool:
        return self._framer.partly

    def too_slow(self) -> None:
        self._hub.counters.add("too_slow")
        self._refuse(reasons.KEEP_ALIVE)

    # -- reading -------------------------------------------------------------------------------

    def cut(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        return self._framer.feed(chunk)

    def take(self, unit: tuple[int, bytes]) -> Coroutine[Any, Any, None] | None:
        if self._over:
            return None
        packet = parse(unit[0], unit[1], self.version)
        if isinstance(packet, Connect):
            if self._connected:
                raise protocol_error("second CONNECT")
            if self.turned_away:
                self._turn_away(packet.version)
                return None
            return self._connect(packet)
        if not self._connected:
            raise protocol_error("no CONNECT at first")
        self._hub.directory.heard(self.known, self.peer)
        match packet:
            case Publish():
                return self._published(packet)
            case Ack():
                return self._acknowledged(packet)
            case Subscribe():
                return self._subscribe(packet)
            case Unsubscribe():
                self._unsubscribe(packet)
            case Ping(type=kind) if kind == PINGREQ:
                self._say(Ping(PINGRESP))
            case Disconnect(type=14):
                self._depart(packet)
            case _:
                raise protocol_error("packet that only a server sends")
        return None

    def _turn_away(self, version: int) -> None:
        """Too many are there already (gate): 5 says which of the two, 3.1.1 that the server is unavailable."""
        self.version, self._over = version, True
        reason = reasons.QUOTA if self.turned_away == FULL_FOR_ADDRESS else reasons.BUSY
        self._say(Connack(False, reasons.connack(reason, version)))
        self.finish()

    async def _connect(self, packet: Connect) -> None:
        self.version = packet.version
        welcome = await admission.admit(self._hub, packet, self.peer)
        if self.gone or self._over:
            return
        if isinstance(welcome, int):
            self._hub.counters.add("refused")
            self._hub.counters.knock(packet.username or packet.client_id, self.peer, clock.now())
            self._say(Connack(False, reasons.connack(welcome, self.version)))
            self._over = True
            self.finish()
            return
        self.known, self._limits, self._will = welcome.known, welcome.limits, packet.will
        if other := self._hub.sessions.connection_of(self.known.thing, welcome.client_id):
            other.end(reasons.TAKEN_OVER)
        self.session, present = self._hub.sessions.open(self.known.thing, welcome.client_id, clean=packet.clean)
        self.session.connection, self.session.ends_at, self.session.expiry = self, None, welcome.expiry
        self._open |= self.session.received
        self._connected = True
        self.wait_for(self._limits.patience)
        self._hub.connections.add(self)
        self._say(Connack(present, reasons.SUCCESS, welcome.properties))
        await self._hub.commands.resume(self.session)

    # -- messages of the device ----------------------------------------------------------------

    def _published(self, packet: Publish) -> Coroutine[Any, Any, None] | None:
        topic = self._aliases.topic_of(packet, self.version)
        if packet.retain and self.version == V5:
            raise MqttError(reasons.NO_RETAIN, "retained messages are not kept")
        if packet.qos and packet.packet_id in self.session.received:
            self.say(Ack(PUBREC, packet.packet_id))  # sent again: it is stored already
            return None
        if packet.qos and len(self._open) >= admission.RECEIVE_MAXIMUM and packet.packet_id not in self._open and self.version == V5:
            raise MqttError(reasons.TOO_MANY, "more messages than the receive maximum")
        route = self._routed(topic)
        if refused := self._refusal(topic, route, packet):
            self._refuse_message(packet, refused)
            return None
        assert route is not None
        if packet.qos:
            self._open.add(packet.packet_id)
        if route[0] == "result":
            return self._result(route, packet)
        reading = self._hub.read(route, packet.payload, self.known, packet.properties)
        if packet.qos:
            self.store(reading.observations, reading.set_aside, Ack(PUBACK if packet.qos == 1 else PUBREC, packet.packet_id))
        else:
            self._batcher.put(reading.observations, reading.set_aside, _unanswered)
        return None

    async def _result(self, route: tuple[str, str], packet: Publish) -> None:
        """What became of a command."""
        await self._hub.answered(route, packet.payload, self.known)
        if packet.qos:
            self.say(Ack(PUBACK if packet.qos == 1 else PUBREC, packet.packet_id))

    def _routed(self, topic: str) -> tuple[str, str] | None:
        """What a message to this topic is; most devices publish to one only."""
        if self._route[0] != topic or self._route[1] is not self.known:
            self._route = topic, self.known, self._hub.route(topic, self.known) if topics.is_name(topic) else None
        return self._route[2]

    def _refusal(self, topic: str, route: tuple[str, str] | None, packet: Publish) -> int:
        if route is None:
            return reasons.NOT_AUTHORIZED if topics.is_name(topic) else reasons.BAD_TOPIC
        if packet.properties and packet.properties.get("payload_format_indicator") == 1 and not _is_text(packet.payload):
            return reasons.BAD_PAYLOAD
        return 0

    def _refuse_message(self, packet: Publish, reason: int) -> None:
        """Nothing of it is kept, and the device is told: with a reason in 5, by the end of the connection in 3.1.1, which has no word for it."""
        self._hub.counters.add("not_authorized")
        if self.version != V5 or reason == reasons.BAD_TOPIC:
            raise MqttError(reason, f"publish to {packet.topic[:100]!r}")
        if packet.qos:
            self.say(Ack(PUBACK if packet.qos == 1 else PUBREC, packet.packet_id, reason))

    def _acknowledged(self, packet: Ack) -> Coroutine[Any, Any, None] | None:
        number = packet.packet_id
        if packet.type == PUBREL:
            known = number in self.session.received
            self.session.received.discard(number)
            self._open.discard(number)
            self.say(Ack(PUBCOMP, number, 0 if known or self.version == V311 else reasons.UNKNOWN_PACKET_ID))
            return None
        if packet.type == PUBACK:
            return self._command_acknowledged(number, packet.reason)
        raise protocol_error("acknowledgement of a QoS that we never send")

    async def _command_acknowledged(self, number: int, reason: int) -> None:
        await self._hub.commands.acknowledged(self.session, number, reason)
        await self._hub.commands.resume(self.session)

    def written(self, said: Ack, stored: bool) -> bytes:
        """An acknowledgement whose turn has come; a device whose message could not be stored has to come again."""
        if not stored:
            self.end(reasons.CANNOT)
            return b""
        if said.type == PUBREC and said.reason < reasons.UNSPECIFIED:
            self.session.received.add(said.packet_id)
        elif said.type != PUBCOMP:
            self._open.discard(said.packet_id)
        if said.type in (PUBACK, PUBREC) and not said.reason:
            self._hub.counters.add("acknowledged")
        return written(said, self.version)

    # -- subscriptions -------------------------------------------------------------------------

    async def _subscribe(self, packet: Subscribe) -> None:
        if packet.properties.get("subscription_identifier"):
            raise MqttError(reasons.NO_IDENTIFIERS, "subscription identifiers are not available")
        given = []
        for asked in packet.topics:
            reason = self._hub.grants(asked.topic, self.known)
            if reason == reasons.SUCCESS:
                self.session.subscriptions[asked.topic] = min(asked.qos, 1)
                reason = min(asked.qos, 1)
            given.append(reasons.suback(reason, self.version))
        self._say(Reply(SUBACK, packet.packet_id, tuple(given)))
        await self._hub.commands.resume(self.session)

    def _unsubscribe(self, packet: Unsubscribe) -> None:
        gone = [self.session.subscriptions.pop(topic, None) is not None for topic in packet.topics]
        self._say(Reply(UNSUBACK, packet.packet_id, tuple(0 if there else reasons.NO_SUBSCRIPTION for there in gone)))

    # -- commands ------------------------------------------------------------------------------

    def takes_command(self) -> bool:
        """Whether one more command may be sent now: subscribed, below the device's receive maximum, and read so far."""
        free = len(self.unacknowledged) < self._limits.receive_maximum and self.transport.get_write_buffer_size() < UNSENT
        return bool(self.session.subscriptions) and self.known.rights.receive and not self._over and free

    def send(self, message: Publish) -> bool:
        """Send a message to the device without waiting for it, so that one that does not read holds up no other; False where it is larger than it takes."""
        data = written(message, self.version)
        if len(data) > self._limits.largest:
            return False
        self.transport.write(data)
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
        self.finish()

    def end(self, reason: int) -> None:
        """End the connection from our side, telling why where the version can."""
        if not self._over:
            self._refuse(reason)

    def _refuse(self, reason: int) -> None:
        self._over = True
        if self._connected:
            if self.version == V5:
                self._say(Disconnect(reason))
        elif reason not in (reasons.KEEP_ALIVE, reasons.MALFORMED, reasons.PROTOCOL_ERROR):
            self._say(Connack(False, reasons.connack(reason, self.version)))
        self.finish_now()

    def finished(self) -> None:
        """Closing a socket with unread bytes resets it, and the device may never read why: so those are read away first."""
        self._over = True
        self._leave()
        if self.at_eof or not self.transport.can_write_eof() or self.transport.is_closing():
            self.transport.close()
            return
        self.transport.write_eof()
        self._loop.call_later(HEAR_OUT, self.transport.close)

    def ended(self) -> None:
        self._over = True
        self._hub.all.discard(self)
        self._leave()

    def _leave(self) -> None:
        self._hub.connections.discard(self)
        if self._left or not self._connected:
            return
        self._left = True
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

    def _say(self, packet: Packet) -> None:
        if not self.transport.is_closing():
            self.transport.write(written(packet, self.version))


def _unanswered(stored: bool) -> None:
    """A message of QoS 0 is stored like any other; nobody waits to hear of it."""


def _is_text(payload: bytes) -> bool:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
