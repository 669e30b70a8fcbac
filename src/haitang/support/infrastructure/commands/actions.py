"""Writes about commands to devices."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from haitang.base.actions import Act, action
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.support.infrastructure.commands.models import DeviceCommand
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import Thing

UNKNOWN = error("commands.unknown", 400, "设备类型没有声明指令“{name}”。")
UNKNOWN_PARAMETER = error("commands.unknown_parameter", 400, "指令“{name}”没有参数“{parameter}”。")
NOT_WAITING = error("commands.not_waiting", 409, "指令已不在等待状态，不能撤回。")
RETIRED = error("commands.retired", 409, "设备“{title}”未在用，不能下达指令。")
DAY = timedelta(days=1)


@action("things.command", title="向设备下达指令")
def command(*, act: Act, thing: Thing, name: str, parameters: Mapping[str, Any] | None = None, valid_for: timedelta = DAY) -> DeviceCommand:
    """Queue a command that the thing's type declares; it is delivered once the device listens, or never after `valid_for`."""
    if thing.status != Thing.ADMITTED:
        raise RETIRED(title=thing.title)
    device = in_force().all(Device).get(thing.device)
    declared = device.commands.get(name) if device else None
    if declared is None:
        raise UNKNOWN(name=name)
    for each in parameters or {}:
        if each not in declared.parameters:
            raise UNKNOWN_PARAMETER(name=declared.title, parameter=each)
    made = DeviceCommand.objects.create(
        thing=thing, name=name, parameters=dict(parameters or {}), issued_at=act.at, issued_by=act.actor.ref, expires_at=act.at + valid_for
    )
    act.record("thing", thing.id, {"command": str(made.id), "name": name, "parameters": made.parameters})
    _announce(act, made)
    return made


@action("things.withdraw_command", title="撤回设备指令")
def withdraw(*, act: Act, command: DeviceCommand) -> None:
    """Take back a command that no device has yet."""
    if command.state != DeviceCommand.QUEUED:
        raise NOT_WAITING()
    _ended(act, command, DeviceCommand.WITHDRAWN)


@action("things.command_told", title="登记指令送达")
def told(*, act: Act, command: DeviceCommand, taken: bool) -> None:
    """The device has acknowledged a command, or refused it."""
    if command.state == DeviceCommand.QUEUED and taken:
        command.state, command.delivered_at = DeviceCommand.DELIVERED, act.at
        command.save(update_fields=["state", "delivered_at"])
        act.record("thing", command.thing_id, {"command": str(command.id), "state": command.state})
        _announce(act, command)
    elif command.state == DeviceCommand.QUEUED:
        _ended(act, command, DeviceCommand.FAILED)
    else:
        act.record("thing", command.thing_id, {"command": str(command.id), "state": command.state, "told": "again"})


@action("things.command_answered", title="登记指令结果")
def answered(*, act: Act, command: DeviceCommand, ok: bool, answer: str) -> None:
    """The device says what became of a command; its last word counts."""
    command.answer = answer
    command.delivered_at = command.delivered_at or act.at
    command.save(update_fields=["answer", "delivered_at"])
    _ended(act, command, DeviceCommand.DONE if ok else DeviceCommand.FAILED)


def _ended(act: Act, command: DeviceCommand, state: str) -> None:
    command.state, command.ended_at = state, act.at
    command.save(update_fields=["state", "ended_at"])
    act.record("thing", command.thing_id, {"command": str(command.id), "state": state})
    _announce(act, command)


def _announce(act: Act, command: DeviceCommand) -> None:
    act.announce("twin", {"things": [command.thing_id], "command": str(command.id), "state": command.state})
