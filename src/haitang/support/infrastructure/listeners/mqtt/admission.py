"""CONNECT: who may come in, and on what terms."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from haitang.support.infrastructure.listeners.known import Known
from haitang.support.infrastructure.listeners.mqtt import aliases, reasons, topics
from haitang.support.infrastructure.listeners.mqtt.packets import V5, Connect, Will
from haitang.support.infrastructure.listeners.mqtt.session import FOREVER, expiry_of
from haitang.support.infrastructure.listeners.rights import OBSERVE

if TYPE_CHECKING:
    from haitang.support.infrastructure.listeners.mqtt.hub import Hub

LARGEST_PACKET = 128 * 1024  # bytes: a message set aside as raw text may grow fourfold and must still fit one message of the stream
RECEIVE_MAXIMUM = 100  # messages of one connection that may wait for their acknowledgement
LONGEST_KEEP_ALIVE = 3600  # seconds; a device that is silent for longer is told to speak sooner (5 only)
SILENT = 6 * 3600.0  # seconds after which a device without keep-alive (3.1.1) is given up
LONGEST_CLIENT_ID = 128


@dataclass(frozen=True)
class Limits:
    """`patience`: seconds of silence after which the connection is given up. The others are the device's own."""

    patience: float = SILENT
    receive_maximum: int = 65535
    largest: int = 268_435_460


@dataclass(frozen=True)
class Welcome:
    known: Known
    client_id: str
    expiry: int
    limits: Limits
    properties: dict[str, Any] = field(default_factory=dict)


async def admit(hub: "Hub", packet: Connect, peer: str) -> Welcome | int:
    """The terms, or the reason of the refusal."""
    if "authentication_method" in packet.properties:
        return reasons.BAD_AUTHENTICATION
    if len(packet.client_id) > LONGEST_CLIENT_ID or (not packet.client_id and packet.version != V5 and not packet.clean):
        return reasons.BAD_CLIENT_ID
    known = await _known(hub, packet, peer)
    if known is None:
        return reasons.BAD_CREDENTIALS if packet.username else reasons.NOT_AUTHORIZED
    if not (known.rights.observe or known.rights.receive):
        hub.directory.refusals.note(known.rights, OBSERVE, "MQTT CONNECT")
        return reasons.NOT_AUTHORIZED
    if packet.will and (refused := _will_refused(hub, packet.will, known, packet.version)):
        return refused
    return _welcome(packet, known)


async def _known(hub: "Hub", packet: Connect, peer: str) -> Known | None:
    try:
        secret = (packet.password or b"").decode("ascii")
    except UnicodeDecodeError:
        return None
    return await hub.directory.sign_in(packet.username or "", secret, peer)


def _will_refused(hub: "Hub", will: Will, known: Known, version: int) -> int:
    if will.retain and version == V5:
        return reasons.NO_RETAIN
    return 0 if topics.is_name(will.topic) and hub.route(will.topic, known) is not None else reasons.NOT_AUTHORIZED


def _welcome(packet: Connect, known: Known) -> Welcome:
    asked = _asked_expiry(packet)
    client_id, keep = packet.client_id or f"haitang-{uuid4().hex[:16]}", packet.keep_alive
    if packet.version != V5:
        limits = Limits(keep * 1.5 if keep else SILENT)
        return Welcome(known, client_id, expiry_of(asked), limits)
    told: dict[str, Any] = {
        "receive_maximum": RECEIVE_MAXIMUM, "maximum_packet_size": LARGEST_PACKET, "topic_alias_maximum": aliases.MOST, "retain_available": 0,
        "subscription_identifier_available": 0, "shared_subscription_available": 0,
    }  # fmt: skip
    if not packet.client_id:
        told["assigned_client_identifier"] = client_id
    if not 0 < keep <= LONGEST_KEEP_ALIVE:
        keep = told["server_keep_alive"] = LONGEST_KEEP_ALIVE
    if expiry_of(asked) != asked:
        told["session_expiry_interval"] = expiry_of(asked)
    own = packet.properties
    limits = Limits(keep * 1.5, own.get("receive_maximum", 65535), own.get("maximum_packet_size", 268_435_460))
    return Welcome(known, client_id, expiry_of(asked), limits, told)


def _asked_expiry(packet: Connect) -> int:
    """Seconds that a session is asked to outlive its connection; 3.1.1 without clean session asks for ever."""
    if packet.version == V5:
        return int(packet.properties.get("session_expiry_interval", 0))
    return 0 if packet.clean else FOREVER
