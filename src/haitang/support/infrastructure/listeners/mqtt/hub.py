"""What all connections share, and what becomes of a message: the durable part."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from haitang.base import clock
from haitang.support.infrastructure.listeners import rights
from haitang.support.infrastructure.listeners.batcher import Batcher
from haitang.support.infrastructure.listeners.counters import Counters
from haitang.support.infrastructure.listeners.directory import Directory
from haitang.support.infrastructure.listeners.known import Known
from haitang.support.infrastructure.listeners.messages import Reading, aside, interpret
from haitang.support.infrastructure.listeners.mqtt import reasons, topics
from haitang.support.infrastructure.listeners.mqtt.commands import Commands
from haitang.support.infrastructure.listeners.mqtt.session import Sessions

if TYPE_CHECKING:
    from haitang.support.infrastructure.listeners.mqtt.connection import Connection

log = structlog.get_logger()
LONGEST_REF = 128


@dataclass
class Hub:
    directory: Directory
    batcher: Batcher
    counters: Counters
    commands: Commands
    sessions: Sessions = field(default_factory=Sessions)
    all: "set[Connection]" = field(default_factory=set)
    connections: "set[Connection]" = field(default_factory=set)  # those that have signed in

    def route(self, topic: str, known: Known) -> tuple[str, str] | None:
        """What a message to this topic is (topics.route); None where the topic is not the device's, or policies do not let it."""
        found = topics.route(topic, known)
        if found is None:
            return None
        word, allowed = (rights.RECEIVE, known.rights.receive) if found[0] == "result" else (rights.OBSERVE, known.rights.observe)
        if not allowed:
            self.directory.refusals.note(known.rights, word, "MQTT PUBLISH")
        return found if allowed else None

    def grants(self, topic: str, known: Known) -> int:
        """The reason with which a subscription is answered."""
        reason = topics.grants(topic, known.thing)
        if reason == reasons.SUCCESS and not known.rights.receive:
            self.directory.refusals.note(known.rights, rights.RECEIVE, "MQTT SUBSCRIBE")
            return reasons.NOT_AUTHORIZED
        return reason

    def read(self, route: tuple[str, str], payload: bytes, known: Known, properties: dict[str, object]) -> Reading:
        """What a message brings; `route` is that of its topic (topics.route), which is not the result of a command."""
        self.counters.add("received")
        what, detail = route
        now = clock.now()
        if what == "observations":
            return interpret(payload, known, now=now, ref=_ref(properties) if properties else "")
        return Reading([], [aside(payload, known, "unknown_topic", detail, "", now)])

    async def answered(self, route: tuple[str, str], payload: bytes, known: Known) -> None:
        """A device says what became of a command; returns once that is in the table."""
        self.counters.add("received")
        await self.commands.answered(known, route[1], payload)

    async def take(self, topic: str, payload: bytes, known: Known, properties: dict[str, object]) -> None:
        """Store a message that nobody waits for; returns once it is queued."""
        route = topics.route(topic, known) or ("unknown", topic)
        if route[0] == "result":
            await self.answered(route, payload, known)
        else:
            reading = self.read(route, payload, known, properties)
            await self.batcher.submit(reading.observations, reading.set_aside)

    def sweep(self) -> None:
        """End the connections whose credential holds no longer; the others go on as their thing is known now."""
        for connection in list(self.connections):
            found = self.directory.still(connection.known)
            if found is None:
                self.counters.add("revoked")
                connection.end(reasons.REVOKED)
            else:
                connection.known = found

    async def keep_swept(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.sessions.forget_ended()
            self.sweep()
            await self.commands.deliver(self.sessions)


def _ref(properties: dict[str, object]) -> str:
    """The id that the sender gave a message as user property `id` (MQTT 5): the same id again is stored once."""
    pairs = properties.get("user_property")
    told = dict(pairs) if isinstance(pairs, list) else {}
    return str(told.get("id", ""))[:LONGEST_REF]
