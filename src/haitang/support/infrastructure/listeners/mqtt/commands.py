"""Commands on their way: from the table to a connected device, and what it says of them back to the table."""

import asyncio
import json
from typing import TYPE_CHECKING, Any

import structlog

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.support.infrastructure.listeners.directory import Directory
from haitang.support.infrastructure.listeners.known import Known
from haitang.support.infrastructure.listeners.mqtt import reasons, topics
from haitang.support.infrastructure.listeners.mqtt.declared import Mqtt
from haitang.support.infrastructure.listeners.mqtt.packets import Publish
from haitang.support.infrastructure.listeners.mqtt.session import Session, Sessions

if TYPE_CHECKING:
    from haitang.support.infrastructure.commands.models import DeviceCommand

log = structlog.get_logger()
TOO_LARGE, NOT_TAKEN = "指令超过设备能接收的长度", "设备拒收指令"


class Commands:
    """Delivers what waits; notes what a device acknowledged (MQTT's PUBACK) and what it answered (its own word)."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._lock = asyncio.Lock()

    async def deliver(self, sessions: Sessions) -> None:
        """Send what waits to every connected device that listens."""
        await self._deliver({s.thing: s for s in sessions.connected() if s.connection.takes_command()})

    async def resume(self, session: Session) -> None:
        """One device has just begun to listen, or can take more."""
        if session.connection and session.connection.takes_command():
            await self._deliver({session.thing: session})

    async def _deliver(self, listening: dict[str, Session]) -> None:
        if not listening:
            return
        async with self._lock:
            try:
                found = await self._directory.off_loop(lambda: _waiting(list(listening)))
            except Exception as failure:  # the table is asked again in a second
                log.warning("mqtt.commands_not_read", reason=str(failure))
                return
            for command in found:
                await self._send(listening[command.thing_id], command)

    async def _send(self, session: Session, command: "DeviceCommand") -> None:
        connection, id = session.connection, str(command.pk)
        if connection is None or not connection.takes_command():
            return
        before = next((number for number, sent in session.sent.items() if sent == id), 0)
        if before in connection.unacknowledged:
            return
        qos = max(session.subscriptions.values())
        number = before or session.next_id()
        message = Publish(topics.commands_of(session.thing), _payload(command), qos, number if qos else 0, dup=bool(before and qos))
        if not await self._directory.off_loop(lambda: _note(command, "sent", confirms=qos > 0, tries=command.tries + 1)):
            return  # withdrawn meanwhile
        if not connection.send(message):
            log.warning("mqtt.command_too_large", command=id, thing=session.thing)
            await self._directory.off_loop(lambda: _note(command, "failed", reason=TOO_LARGE))
        elif qos:
            session.sent[number] = id
            connection.unacknowledged.add(number)

    async def acknowledged(self, session: Session, number: int, reason: int) -> None:
        """A device has, or refuses, a command."""
        command = session.sent.pop(number, None)
        session.connection.unacknowledged.discard(number)
        if command is not None:
            await self._directory.off_loop(lambda: _acknowledged(session.thing, command, taken=reason < reasons.UNSPECIFIED))

    async def answered(self, known: Known, command: str, payload: bytes) -> None:
        """A device says what became of a command; returns once that is in the table."""
        await self._directory.off_loop(lambda: _answered(known.thing, command, payload))


def _payload(command: "DeviceCommand") -> bytes:
    told = {
        "id": str(command.pk), "command": command.name, "parameters": command.parameters,
        "expires": command.expires_at.astimezone(clock.CHINA).isoformat(timespec="seconds"),
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False).encode()


def _waiting(things: list[str]) -> "list[DeviceCommand]":
    from haitang.support.infrastructure.commands.queries import unacknowledged

    return list(unacknowledged(Mqtt.id, things))


def _note(command: "DeviceCommand", state: str, **facts: Any) -> bool:
    from haitang.support.infrastructure.commands.actions import note

    with acting(system("listeners")) as act:
        return note(act=act, command=command, state=state, **facts)


def _acknowledged(thing: str, command: str, *, taken: bool) -> None:
    from haitang.support.infrastructure.commands.queries import find

    if found := find(thing, command):
        _note(found, "acknowledged") if taken else _note(found, "failed", reason=NOT_TAKEN)


def _answered(thing: str, command: str, payload: bytes) -> None:
    from haitang.support.infrastructure.commands.queries import find

    found = find(thing, command)
    if found is None:
        log.info("mqtt.answer_to_nothing", thing=thing, command=command[:40])
        return
    try:
        said = json.loads(payload)
    except ValueError:
        said = {}
    ok = bool(said.get("ok")) if isinstance(said, dict) else False
    _note(found, "done" if ok else "failed", answer=payload.decode("utf-8", "replace"))
