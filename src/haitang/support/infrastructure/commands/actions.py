"""Writes about commands to things: one life cycle for every protocol."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import F, Value
from django.db.models.functions import Coalesce

from haitang.base.actions import Act, action
from haitang.base.errors import error
from haitang.support.infrastructure.commands import protocols
from haitang.support.infrastructure.commands.models import DeviceCommand
from haitang.support.infrastructure.things.models import Thing

NOT_WAITING = error("commands.not_waiting", 409, "指令已经发出或已结束，不能撤回。")
RETIRED = error("commands.retired", 409, "设备“{title}”未在用，不能下达指令。")
ALREADY_OPEN = error("commands.already_open", 409, "“{title}”已有一条同样的指令在等待或执行，请等它结束。")
DAY = timedelta(days=1)
LONGEST_ANSWER = 4000  # characters of a thing's answer that are kept
_D = DeviceCommand
# What may come before each state. A thing's last word counts: one that it said was done may have failed after all, and one that expired unheard may have been heard.
BEFORE: Mapping[str, tuple[str, ...]] = {
    _D.SENT: (_D.QUEUED, _D.SENT),
    _D.ACKNOWLEDGED: _D.OPEN,
    _D.DONE: (*_D.OPEN, _D.DONE, _D.FAILED, _D.EXPIRED),
    _D.FAILED: (*_D.OPEN, _D.DONE, _D.FAILED, _D.EXPIRED),
    _D.EXPIRED: (_D.QUEUED, _D.SENT),
    _D.WITHDRAWN: (_D.QUEUED,),
}
_TIMES = {_D.SENT: "sent_at", _D.ACKNOWLEDGED: "acknowledged_at"}  # of the first time; every other state ends a command


@action("things.command", title="向设备下达指令", resource="thing")
def command(*, act: Act, thing: Thing, name: str, parameters: Mapping[str, Any] | None = None, valid_for: timedelta = DAY) -> DeviceCommand:
    """Queue a command that a protocol of the thing offers; it is sent once the thing listens, or never after `valid_for`.

    Raises RETIRED, `protocols.UNKNOWN`, ALREADY_OPEN, and what the protocol says of the parameters.
    """
    if thing.status != Thing.ADMITTED:
        raise RETIRED(title=thing.title)
    way, offer = protocols.offer(thing, name)
    values = offer.values(parameters or {})
    same = DeviceCommand.objects.filter(thing=thing, name=name, parameters=values, state__in=DeviceCommand.OPEN)
    if way.once and same.exists():
        raise ALREADY_OPEN(title=thing.title)
    made = DeviceCommand.objects.create(
        thing=thing, protocol=way.id, name=name, parameters=values, issued_at=act.at, issued_by=act.actor.ref, expires_at=act.at + valid_for
    )
    act.record("thing", thing.id, {"command": str(made.id), "protocol": way.id, "name": name, "parameters": values})
    _announce(act, made)
    return made


@action("things.withdraw_command", title="撤回设备指令", resource="command")
def withdraw(*, act: Act, command: DeviceCommand) -> None:
    """Take back a command that was not sent yet; raises NOT_WAITING."""
    if not _to(act, command, DeviceCommand.WITHDRAWN, {}):
        raise NOT_WAITING()
    act.record("thing", command.thing_id, {"command": str(command.pk), "state": DeviceCommand.WITHDRAWN})


@action("things.note_command", title="登记指令的进展")
def note(*, act: Act, command: DeviceCommand, state: str, **facts: Any) -> bool:
    """Write down how far a command came: `reason`, `answer`, `reference`, `tries`, `packets`, `confirms`. False where it cannot come there any more.

    Told so before it sends, a listener does not send what was withdrawn meanwhile.
    """
    if "answer" in facts:
        facts["answer"] = facts["answer"][:LONGEST_ANSWER].replace("\0", "")
    stands = _to(act, command, state, facts)
    kept = {name: value for name, value in facts.items() if name != "answer"}  # what a thing says is not ours to vouch for
    act.record("thing", command.thing_id, {"command": str(command.pk), "state": state if stands else f"not {state}: ended before", **kept})
    return stands


def _to(act: Act, command: DeviceCommand, state: str, facts: Mapping[str, Any]) -> bool:
    time = _TIMES.get(state)
    at = {time: Coalesce(F(time), Value(act.at))} if time else {"ended_at": act.at}
    changed = DeviceCommand.objects.filter(pk=command.pk, state__in=BEFORE[state]).update(state=state, **at, **facts)
    if changed:
        command.state = state
        _announce(act, command)
    return bool(changed)


def _announce(act: Act, command: DeviceCommand) -> None:
    act.announce("twin", {"things": [command.thing_id], "command": str(command.id), "state": command.state})
