"""Which stations are listened to: a view of the things table and the release in force, read off the event loop.

Once a second a fingerprint is asked of the database; only when it differs is the view read anew.

An MN that the view does not have is asked for at once only in commissioning mode, which admits it provisionally; else it stays unanswered and is noted as
knocking. A retired MN stays out in either mode.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, TypeVar, cast

import structlog

from haitang.base.actions import acting, system
from haitang.base.declarations import Declarations, all_kinds, in_force, release_digest
from haitang.support.infrastructure.listeners import rights
from haitang.support.infrastructure.listeners.hj212.packet import Packet
from haitang.support.infrastructure.listeners.hj212.sources import Meanings, Source
from haitang.support.infrastructure.stream.messages import Origin
from haitang.support.infrastructure.things.kinds import Device

if TYPE_CHECKING:
    from haitang.support.infrastructure.things.models import Thing

T = TypeVar("T")
log = structlog.get_logger()
EVERY = 1.0  # seconds between two looks
NOTE_EVERY = 5.0  # seconds between two notes of when things were last heard
LONGEST_MN = 48
_FINGERPRINT = """
select count(*), sum(hashtextextended(concat_ws('|', id, mn, status, origin, device, address, password, sm4_key, organization_id, division), 0)::numeric)
from things_thing where mn is not null
"""


@dataclass(frozen=True)
class View:
    """What the listener knows at one moment; replaced whole, never changed."""

    sources: dict[str, Source] = field(default_factory=dict)
    retired: frozenset[str] = frozenset()
    device_of_system: dict[str, str] = field(default_factory=dict)
    release: str = ""


class Registry:
    """The current view, its refreshing, and admission while commissioning."""

    def __init__(self, *, admit: bool) -> None:
        self._admit = admit
        self.view = View()
        self._mark: Any = None
        self._seen: dict[str, datetime] = {}
        self._note_at = 0.0
        self._lock = asyncio.Lock()
        self.refusals = rights.Refusals()
        # One thread, so that there is one database connection and it can be closed.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hj212-registry")

    async def refresh(self) -> None:
        """Read the tables, and write down when things were last heard. The last view stays while the database is away."""
        seen: dict[str, datetime] = {}
        if time.monotonic() >= self._note_at:
            seen, self._seen, self._note_at = self._seen, {}, time.monotonic() + NOTE_EVERY
        try:
            refused = self.refusals.take()
            found = await self.off_loop(lambda: _look(self._mark, seen, refused))
        except Exception as failure:  # whatever it is, stations go on being heard as known so far
            self._seen = {**seen, **self._seen}
            log.warning("hj212.registry_not_read", reason=str(failure))
            return
        if found:
            self._mark, self.view = found

    async def keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self.refresh()

    def source_of(self, packet: Packet, address: str, at: datetime) -> Source | None:
        """The admitted station of a packet, None when it is not to be answered."""
        source = self.view.sources.get(packet.mn)
        if source is None or not source.may_come_from(address):
            return None
        if not source.rights.observe:
            self.refusals.note(source.rights, rights.OBSERVE, "HJ 212")
            return None
        self._seen[source.thing] = at
        return source

    def may_admit(self, mn: str) -> bool:
        """Whether a station that is not known yet may be let in provisionally: `admit` does it."""
        return self._admit and mn not in self.view.sources and len(mn) <= LONGEST_MN and mn not in self.view.retired

    async def admit(self, packet: Packet, address: str) -> None:
        """Let in the station of a packet provisionally."""
        async with self._lock:
            if packet.mn in self.view.sources:
                return
            device = self.view.device_of_system.get(packet.st, "")
            try:
                self.view = await self.off_loop(lambda: _admit(packet.mn, device, address))
            except Exception as failure:  # not admitted, not answered: the station tries again
                log.warning("hj212.not_admitted", mn=packet.mn, reason=str(failure))

    async def off_loop(self, work: Callable[[], T]) -> T:
        """Run database work in the listener's one thread for it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: _fresh(work))

    async def close(self) -> None:
        seen, self._seen = self._seen, {}
        if seen:
            await self.off_loop(lambda: _note(seen))
        await asyncio.get_running_loop().run_in_executor(self._thread, _hang_up)
        self._thread.shutdown()


def _fresh(work: Callable[[], T]) -> T:
    from django.db import close_old_connections

    close_old_connections()
    return work()


def _hang_up() -> None:
    from django.db import connection

    connection.close()


def _look(mark: Any, seen: dict[str, datetime], refused: Any = ()) -> tuple[Any, View] | None:
    """Mark and view where they are not those of `mark`."""
    from django.db import connection

    _note(seen)
    rights.keep(refused)
    digest = release_digest()
    with connection.cursor() as cursor:
        cursor.execute(_FINGERPRINT)
        now = (digest, cursor.fetchone())
    return None if now == mark else (now, _load(digest))


def _note(seen: dict[str, datetime]) -> None:
    from haitang.support.infrastructure.things.actions import seen as note

    if seen:
        note(seen)


def _load(digest: str) -> View:
    from haitang.support.infrastructure.things.models import Thing

    declared = in_force() if digest else Declarations("", {})
    meanings = {id: Meanings.of(device) for id, device in declared.all(Device).items()}
    node, things = _node(declared), list(Thing.objects.exclude(mn=None))
    allowed = rights.decided(t for t in things if t.status != Thing.RETIRED)
    sources = {str(t.mn): _source(t, node, meanings, allowed) for t in things if t.status != Thing.RETIRED}
    retired = frozenset(str(t.mn) for t in things if t.status == Thing.RETIRED)
    systems = {f"{d.hj212.system:02d}": id for id, d in reversed(list(declared.all(Device).items())) if d.hj212}
    return View(sources, retired, systems, digest)


def _source(thing: "Thing", node: str, meanings: dict[str, Meanings], allowed: dict[str, rights.Rights]) -> Source:
    return Source(
        node=node, thing=thing.id, mn=str(thing.mn), origin=cast(Origin, thing.origin), password=thing.password or None,
        key=thing.sm4_key.encode() or None, network=ip_network(thing.address, strict=False) if thing.address else None, meanings=meanings.get(thing.device, Meanings()), rights=allowed[thing.id],
    )  # fmt: skip


def _node(declared: Declarations) -> str:
    """The division code of this node. The kind `place` belongs to a higher room, so it is asked for by name."""
    kind = all_kinds().get("place")
    places = list(declared.all(kind.model).values()) if kind else []
    return str(getattr(places[0], "code", "")) if places else ""


def _admit(mn: str, device: str, address: str) -> View:
    from haitang.support.infrastructure.things.actions import admit_provisionally

    with acting(system("hj212")) as act:
        admit_provisionally(act=act, mn=mn, device=device, address=address)
    return _load(release_digest())
