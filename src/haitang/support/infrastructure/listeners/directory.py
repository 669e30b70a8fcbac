"""Who may sign in: a view of credentials, things and the release in force, read off the event loop.

Once a second a fingerprint is asked of the database; only when it differs is the view read anew. A view that cannot be read stays as it was: devices go on
being heard as known so far.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network
from typing import Any, TypeVar, cast

import structlog

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.declarations import Declarations, all_kinds, in_force, release_digest
from haitang.support.infrastructure.listeners import rights
from haitang.support.infrastructure.listeners.known import Known, Meaning
from haitang.support.infrastructure.stream.messages import Origin
from haitang.support.infrastructure.things.kinds import Device

T = TypeVar("T")
log = structlog.get_logger()
EVERY = 1.0  # seconds between two looks
AGAIN = 0.25  # seconds in which strangers may make us look once more
NOTE_EVERY = 3.0  # seconds between two notes of who was heard
NOBODY = Known("", "", "live", salt=b"\0" * 16, digest=b"\0" * 32)
_FINGERPRINT = """
select count(*), sum(hashtextextended(concat_ws('|', c.identifier, c.thing_id, c.origin, c.valid_until, c.ended_at, c.replaces_id, t.status, t.origin, t.device, t.address, t.organization_id, t.division), 0)::numeric)
from credentials_devicecredential c join things_thing t on t.id = c.thing_id
"""


@dataclass(frozen=True)
class View:
    """What a listener knows at one moment; replaced whole, never changed."""

    by_identifier: dict[str, Known] = field(default_factory=dict)
    release: str = ""


class Directory:
    """The current view, its refreshing, and the notes of who was heard."""

    def __init__(self, name: str) -> None:
        self.view = View()
        self._mark: Any = None
        self._heard: dict[str, datetime] = {}
        self._uses: dict[str, tuple[datetime, str]] = {}
        self._note_at = self._look_at = 0.0
        self._looking: asyncio.Task[None] | None = None
        self.refusals = rights.Refusals()
        # One thread, so that there is one database connection and it can be closed.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{name}-directory")

    async def sign_in(self, identifier: str, secret: str, address: str) -> Known | None:
        """The device that this is, None for a stranger. Who is not known yet may have been given a credential just now: the tables are looked at again."""
        if identifier and identifier not in self.view.by_identifier:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look_soon())
            await asyncio.shield(self._looking)
        found = self.view.by_identifier.get(identifier)
        holds = (found or NOBODY).lets_in(secret, clock.now())
        if found is None or not holds or not found.may_come_from(address):
            return None
        self.heard(found, address)
        return found

    async def _look_soon(self) -> None:
        """One look for all strangers that wait, and not more often than every AGAIN seconds: knocking costs the database nothing."""
        await asyncio.sleep(max(0.0, self._look_at - time.monotonic()))
        self._look_at = time.monotonic() + AGAIN
        await self.refresh()

    def heard(self, known: Known, address: str) -> None:
        """Note that a device was heard just now."""
        now = clock.now()
        self._heard[known.thing], self._uses[known.identifier] = now, (now, address)

    def heard_thing(self, thing: str) -> None:
        """Note that a thing was heard that shows no credential here: through an outside broker."""
        self._heard[thing] = clock.now()

    def still(self, known: Known) -> Known | None:
        """The device as it is known now; None when its credential holds no longer."""
        found = self.view.by_identifier.get(known.identifier)
        return found if found and (found.until is None or clock.now() < found.until) else None

    async def open(self) -> None:
        """Read it for the first time, however long the database is away: whom nobody could ask about is no stranger, and is not to be sent away as one."""
        await self.refresh()
        while self._mark is None:
            await asyncio.sleep(AGAIN)
            await self.refresh()

    async def refresh(self) -> None:
        """Look for changes, and write down who was heard."""
        heard, uses = self._take_notes()
        refused = self.refusals.take()
        try:
            found = await self.off_loop(lambda: _look(self._mark, heard, uses, refused))
        except Exception as failure:  # whatever it is, devices go on being heard as known so far
            self._heard, self._uses = {**heard, **self._heard}, {**uses, **self._uses}
            log.warning("listener.directory_not_read", reason=str(failure))
            return
        if found:
            self._mark, self.view = found

    def _take_notes(self) -> tuple[dict[str, datetime], dict[str, tuple[datetime, str]]]:
        if time.monotonic() < self._note_at:
            return {}, {}
        notes = self._heard, self._uses
        self._heard, self._uses, self._note_at = {}, {}, time.monotonic() + NOTE_EVERY
        return notes

    async def keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self.refresh()

    async def off_loop(self, work: Callable[[], T]) -> T:
        """Run what needs the database in the directory's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: _fresh(work))

    async def close(self) -> None:
        if self._looking:
            self._looking.cancel()
        heard, uses = self._heard, self._uses
        if heard:
            await self.off_loop(lambda: _note(heard, uses))
        await asyncio.get_running_loop().run_in_executor(self._thread, _hang_up)
        self._thread.shutdown()


def _fresh(work: Callable[[], T]) -> T:
    from django.db import close_old_connections

    close_old_connections()
    return work()


def _hang_up() -> None:
    from django.db import connection

    connection.close()


def _look(mark: Any, heard: dict[str, datetime], uses: dict[str, tuple[datetime, str]], refused: Any = ()) -> tuple[Any, View] | None:
    """Mark and view where they are not those of `mark`."""
    from django.db import connection

    _note(heard, uses)
    rights.keep(refused)
    digest = release_digest()
    with connection.cursor() as cursor:
        cursor.execute(_FINGERPRINT)
        now = (digest, cursor.fetchone())
    return None if now == mark else (now, _load(digest))


def _note(heard: dict[str, datetime], uses: dict[str, tuple[datetime, str]]) -> None:
    from haitang.support.infrastructure.credentials.actions import finish_rotation, note_uses
    from haitang.support.infrastructure.things.actions import seen

    if heard:
        seen(heard)
    for each in note_uses(uses) if uses else []:
        with acting(system("listeners")) as act:
            finish_rotation(act=act, credential=each)


def _load(digest: str) -> View:
    from haitang.support.infrastructure.credentials.queries import current

    declared = in_force() if digest else Declarations("", {})
    meanings = {id: Meaning.of(device) for id, device in declared.all(Device).items()}
    node = node_of(declared)
    rows = list(current().select_related("thing"))
    allowed = rights.decided(row.thing for row in rows)
    return View({row.identifier: _known(row, node, meanings, allowed) for row in rows}, digest)


def _known(row: Any, node: str, meanings: dict[str, Meaning], allowed: dict[str, rights.Rights]) -> Known:
    thing = row.thing
    return Known(
        node=node, thing=thing.id, origin=cast(Origin, "replay" if row.origin == "replay" else thing.origin),
        meaning=meanings.get(thing.device, Meaning()), network=ip_network(thing.address, strict=False) if thing.address else None,
        identifier=row.identifier, salt=bytes(row.salt), digest=bytes(row.digest), until=row.valid_until, rights=allowed[thing.id],
    )  # fmt: skip


def node_of(declared: Declarations) -> str:
    """The division code of this node. The kind `place` belongs to a higher room, so it is asked for by name."""
    kind = all_kinds().get("place")
    places = list(declared.all(kind.model).values()) if kind else []
    return str(getattr(places[0], "code", "")) if places else ""
