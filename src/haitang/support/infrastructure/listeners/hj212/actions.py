"""Writes about commands to stations."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from haitang.base.actions import Act, action
from haitang.base.errors import error
from haitang.base.ids import new_id
from haitang.support.infrastructure.listeners.hj212.commands import command
from haitang.support.infrastructure.listeners.hj212.models import StationCommand
from haitang.support.infrastructure.things.actions import announce
from haitang.support.infrastructure.things.models import Thing

NO_STATION = error("hj212.no_station", 409, "“{title}”不是已接入的 HJ 212 监测站，不能下发命令。")
ALREADY_OPEN = error("hj212.already_open", 409, "“{title}”已有一条同样的命令在等待或执行，请等它结束。")
NOT_QUEUED = error("hj212.not_queued", 409, "命令已经发出，不能撤回。")
WAITS = timedelta(hours=24)  # how long a command waits for its station to connect
OPEN = ("queued", "sent", "executing")
NOT_CONNECTED, RESTARTED = "监测站一直没有连接", "接收程序在执行中重启，结果不明"


@action("things.command_station", title="向监测站下发命令", resource="thing")
def send(*, act: Act, thing: Thing, cn: str, given: Mapping[str, str]) -> StationCommand:
    """Queue a command; the listener sends it while the station is connected. Raises NO_STATION, ALREADY_OPEN, NO_COMMAND, BAD_VALUE."""
    if not thing.mn or thing.status != Thing.ADMITTED:
        raise NO_STATION(title=thing.title)
    values = command(cn).values(given)
    if StationCommand.objects.filter(thing=thing, cn=cn, values=values, state__in=OPEN).exists():
        raise ALREADY_OPEN(title=thing.title)
    made = StationCommand.objects.create(
        id=new_id(),
        thing=thing,
        cn=cn,
        values=values,
        asked_by=act.actor.ref,
        asked_at=act.at,
        changed_at=act.at,
        expires_at=act.at + WAITS,
    )
    act.record("thing", thing.id, {"command": str(made.id), "cn": cn, "values": values})
    announce(act, thing)
    return made


@action("things.withdraw_station_command", title="撤回下发的命令")
def withdraw(*, act: Act, asked: StationCommand) -> StationCommand:
    """Take a command back that was not sent yet."""
    if not StationCommand.objects.filter(pk=asked.pk, state="queued").update(state="withdrawn", changed_at=act.at):
        raise NOT_QUEUED()
    act.record("thing", asked.thing_id, {"command": str(asked.pk), "cn": asked.cn, "state": "withdrawn"})
    announce(act, asked.thing)
    return asked


@action("things.note_station_command", title="记录命令的执行情况")
def note(*, act: Act, asked: StationCommand, state: str, **facts: Any) -> bool:
    """Write down how far a command came: `reason`, `qn`, `tries`, `packets`, `told`. False when it had ended (was withdrawn) already."""
    changed = StationCommand.objects.filter(pk=asked.pk, state__in=OPEN).update(state=state, changed_at=act.at, **facts)
    kept = {name: value for name, value in facts.items() if name != "told"}  # what a station says is not ours to vouch for
    act.record("thing", asked.thing_id, {"command": str(asked.pk), "cn": asked.cn, "state": state if changed else "ended before", **kept})
    announce(act, asked.thing)
    return bool(changed)
