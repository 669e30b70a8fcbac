"""Sends queued commands to connected stations, one exchange at a time for each, and writes down how far each came."""

import asyncio
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
from haitang.support.infrastructure.listeners.hj212.commands import command
from haitang.support.infrastructure.listeners.hj212.exchange import Exchange
from haitang.support.infrastructure.listeners.hj212.links import Links
from haitang.support.infrastructure.listeners.hj212.packet import Packet

if TYPE_CHECKING:
    from haitang.support.infrastructure.listeners.hj212.models import StationCommand

log = structlog.get_logger()
EVERY = 0.5  # seconds between two looks at the clock
LOOK_EVERY = 1.0  # seconds between two looks for queued commands
NOTIFIED = "1013"  # a station's notice that its clock should be set


class OffLoop(Protocol):
    """Runs database work in the listener's one thread for it."""

    def __call__(self, work: Callable[[], Any]) -> Awaitable[Any]: ...


@dataclass
class _Open:
    asked: "StationCommand"
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
        free = [mn for mn in self._links.connected() if mn not in self._open and self._links.may_receive(mn)]
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
        content = command(open.asked.cn).content(open.asked.values, clock.now())
        link.transport.write(link.request(cn=open.asked.cn, cp=content, qn=open.exchange.qn, resent=open.exchange.tries > 1))

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


def _next(clocks: set[str], free: list[str]) -> "dict[str, StationCommand]":
    """Enter what is asked for by itself, give up what waited too long, and find what each free station is to be sent."""
    from haitang.support.infrastructure.listeners.hj212 import actions, queries

    for mn in clocks:
        _set_clock(mn)
    for late in queries.overdue(clock.now()):
        with acting(system("hj212")) as act:
            actions.note(act=act, asked=late, state="timed_out", reason=actions.NOT_CONNECTED)
    return queries.next_for(free)


def _set_clock(mn: str) -> None:
    """HJ 212-2017: after the notice 1013 the platform sets the station's time (1012)."""
    from haitang.support.infrastructure.listeners.hj212 import actions
    from haitang.support.infrastructure.things.queries import by_mn

    thing = by_mn(mn)
    if thing is None:
        return
    try:
        with acting(system("hj212")) as act:
            actions.send(act=act, thing=thing, cn="1012", given={})
    except HaitangError as known:
        if known.kind not in (actions.ALREADY_OPEN, actions.NO_STATION):
            raise


def _note(asked: "StationCommand", exchange: Exchange) -> bool:
    from haitang.support.infrastructure.listeners.hj212 import actions

    with acting(system("hj212")) as act:
        return actions.note(
            act=act, asked=asked, state=exchange.state, reason=exchange.reason, qn=exchange.qn, tries=exchange.tries, packets=exchange.packets,
            told={name: value[:200] for name, value in list(exchange.told.items())[:20]},
        )  # fmt: skip


def _close_left_open() -> bool:
    """What was out when the listener ended: nobody waits for its answer any more, and whether it was carried out is not known."""
    from haitang.support.infrastructure.listeners.hj212 import actions, queries

    for left in queries.left_open():
        with acting(system("hj212")) as act:
            actions.note(act=act, asked=left, state="timed_out", reason=actions.RESTARTED)
    return True
