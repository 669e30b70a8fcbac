"""Sends queued commands to connected stations, one exchange at a time for each, and writes down how far each came."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.clock import CHINA
from haitang.base.errors import HaitangError
from haitang.support.infrastructure.listeners.hj212.commands import COMMANDS, Hj212
from haitang.support.infrastructure.listeners.hj212.exchange import Exchange
from haitang.support.infrastructure.listeners.hj212.links import Links
from haitang.support.infrastructure.listeners.hj212.packet import Packet

if TYPE_CHECKING:
    from haitang.support.infrastructure.commands.models import DeviceCommand

log = structlog.get_logger()
EVERY = 0.5  # seconds between two looks at the clock
LOOK_EVERY = 1.0  # seconds between two looks for queued commands
NOTIFIED = "1013"  # a station's notice that its clock should be set
RESTARTED = "接收程序在执行中重启，结果不明"
# An exchange's states in the life cycle of commands.
STATES = {
    "sent": "sent", "executing": "acknowledged", "done": "done", "refused": "failed", "failed": "failed", "timed_out": "failed",
}  # fmt: skip


class OffLoop(Protocol):
    """Runs database work in the listener's one thread for it."""

    def __call__(self, work: Callable[[], Any]) -> Awaitable[Any]: ...


@dataclass
class _Open:
    asked: "DeviceCommand"
    exchange: Exchange
    written: tuple[str, int] = ("", 0)


class Sender:
    """`heard` is told every packet of an admitted station; `run` does the rest."""

    def __init__(self, links: Links, off_loop: OffLoop) -> None:
        self._links, self._off_loop = links, off_loop
        self._open: dict[str, _Open] = {}
        self._numbers = 0
        self._looked = 0.0
        self._clocks: set[str] = set()

    def heard(self, packet: Packet) -> None:
        """A packet came from an admitted station under its own password."""
        if packet.cn == NOTIFIED:
            self._clocks.add(packet.mn)
        if (open := self._open.get(packet.mn)) and open.exchange.qn == packet.qn:
            open.exchange.heard(packet, time.monotonic())

    async def run(self) -> None:
        """Until cancelled. While the database is away commands wait and exchanges go on."""
        while not await self._safely(_close_left_open):
            await asyncio.sleep(LOOK_EVERY)
        while True:
            await asyncio.sleep(EVERY)
            await self._look()
            for mn in list(self._open):
                await self._go_on(mn)

    async def _look(self) -> None:
        if time.monotonic() - self._looked < LOOK_EVERY:
            return
        self._looked = time.monotonic()
        clocks, self._clocks = self._clocks, set()
        free = {thing: mn for mn, thing in self._links.connected().items() if mn not in self._open and self._links.may_receive(mn)}
        found = await self._safely(lambda: _next(clocks, free))
        if found is None:
            self._clocks |= clocks
        for mn, asked in (found or {}).items():
            self._open[mn] = _Open(asked, Exchange(self._qn(clock.now())))

    async def _go_on(self, mn: str) -> None:
        """Send what is due, write down what changed, forget what ended."""
        open = self._open[mn]
        exchange = open.exchange
        if exchange.tick(time.monotonic()):
            if exchange.tries == 1 and not await self._written(
                open
            ):  # withdrawn meanwhile, or the database is away: then it is found again
                del self._open[mn]
                return
            self._send(mn, open)
        if (exchange.state, exchange.tries) != open.written and await self._written(open) is None:
            return
        if not exchange.open:
            del self._open[mn]

    async def _written(self, open: _Open) -> bool | None:
        """Whether the command still stands; None when the database is away."""
        now = (open.exchange.state, open.exchange.tries)
        stands: bool | None = await self._safely(lambda: _note(open.asked, open.exchange))
        if stands is not None:
            open.written = now
        return stands

    def _send(self, mn: str, open: _Open) -> None:
        link = self._links.get(mn)
        if link is None:  # this try is lost; the station may be back for the next
            return
        cn = open.asked.name
        content = COMMANDS[cn].content(open.asked.parameters, clock.now())
        link.transport.write(link.request(cn=cn, cp=content, qn=open.exchange.qn, resent=open.exchange.tries > 1))

    def _qn(self, now: datetime) -> str:
        self._numbers += 1
        return f"{now.astimezone(CHINA):%Y%m%d%H%M%S}{self._numbers % 1000:03d}"

    async def _safely(self, work: Callable[[], Any]) -> Any:
        """What `work` gives, None when the database is away or refuses."""
        try:
            return await self._off_loop(work)
        except Exception as failure:
            log.warning("hj212.commands_not_handled", reason=str(failure))
            return None


def _next(clocks: set[str], free: dict[str, str]) -> "dict[str, DeviceCommand]":
    """Enter what is asked for by itself, and find what each free station (thing -> MN) is to be sent: MN -> its oldest command."""
    from haitang.support.infrastructure.commands.queries import waiting

    for mn in clocks:
        _set_clock(mn)
    found = list(waiting(Hj212.id, free)) if free else []
    return {free[each.thing_id]: each for each in reversed(found) if each.name in COMMANDS}


def _set_clock(mn: str) -> None:
    """HJ 212-2017: after the notice 1013 the platform sets the station's time (1012)."""
    from haitang.support.infrastructure.commands import actions
    from haitang.support.infrastructure.things.queries import by_mn

    thing = by_mn(mn)
    if thing is None:
        return
    try:
        with acting(system("hj212")) as act:
            actions.command(act=act, thing=thing, name="1012")
    except HaitangError as known:
        if known.kind not in (actions.ALREADY_OPEN, actions.RETIRED):
            raise


def _note(asked: "DeviceCommand", exchange: Exchange) -> bool:
    from haitang.support.infrastructure.commands.actions import note

    told = {name: value[:200] for name, value in list(exchange.told.items())[:20]}
    with acting(system("hj212")) as act:
        return note(
            act=act, command=asked, state=STATES[exchange.state], reason=exchange.reason, reference=exchange.qn, tries=exchange.tries,
            packets=exchange.packets, answer=json.dumps(told, ensure_ascii=False) if told else "",
        )  # fmt: skip


def _close_left_open() -> bool:
    """What was out when the listener ended: nobody waits for its answer any more, and whether it was carried out is not known."""
    from haitang.support.infrastructure.commands.actions import note
    from haitang.support.infrastructure.commands.queries import under_way

    for left in under_way(Hj212.id):
        with acting(system("hj212")) as act:
            note(act=act, command=left, state="failed", reason=RESTARTED)
    return True
