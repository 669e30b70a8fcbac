"""Asks a database: reads into a file, which becomes a run in the same transaction in which the cursor moves on."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import structlog
from django.db import connection

from haitang.base.actions import Actor, acting, system
from haitang.base.durations import parse_span
from haitang.base.errors import HaitangError
from haitang.base.text import CHINESE, sentence_of
from haitang.hub.data.gather import faults, incoming
from haitang.hub.data.gather.kinds import Source
from haitang.hub.data.gather.sources import actions
from haitang.hub.data.gather.sources.connecting import Address, address_of
from haitang.hub.data.gather.sources.extracting import Asked, extract
from haitang.hub.data.gather.sources.queries import state_of
from haitang.support.security.cryptography.stored import open_text

log = structlog.get_logger()
ACTOR = system("gather")
_LOCK = 0x73_72_63  # class of the advisory locks


def address(source: Source) -> Address:
    """Where the source's database is, with the password that is stored for it."""
    assert source.database is not None
    sealed = state_of(source.id).password
    return address_of(source.database.url, source.id, open_text(sealed, actions.secret_of(source.id)) if sealed else "")


def asked(source: Source) -> Asked:
    """What is read of it."""
    assert source.database is not None
    told = source.database
    return Asked(told.table, told.query, told.cursor, parse_span(told.overlap) if told.overlap else timedelta(0))


def pull(source: Source, actor: Actor = ACTOR) -> str:
    """Read what changed and start its run; returns the run, or an empty text where nothing changed or another process is at it.

    Raises what the reading raised, after it was noted on the source.
    """
    with only_one(source.id) as mine:
        if not mine:
            return ""
        try:
            return _pull(source, actor)
        except HaitangError as failure:
            note(source, actor, sentence_of(failure, CHINESE))
            raise


def _pull(source: Source, actor: Actor) -> str:
    state = state_of(source.id)
    incoming.folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=incoming.folder()) as folder:  # killed meanwhile, the sweep removes it
        target = Path(folder) / f"{source.id}.parquet"
        found = extract(address(source), asked(source), state.cursor, target)
        if not found.rows and actions.load_of(source) == "full":
            raise faults.NOTHING_AT_ALL(source=source.id)
        file = None
        if found.rows:
            file = incoming.keep_file(target)
        with acting(actor) as act:
            return actions.pulled(act=act, source=source, file=file, rows=found.rows, cursor=found.cursor)


def note(source: Source, actor: Actor, why: str) -> None:
    """Keep on the source why it could not be read."""
    log.warning("gather.source_failed", source=source.id, why=why)
    with acting(actor) as act:
        actions.failed(act=act, source=source, why=why)


@contextmanager
def only_one(id: str) -> Iterator[bool]:
    """Whether this process alone is at the source; the lock goes with the connection, so that a killed process leaves none."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(%s, hashtext(%s))", [_LOCK, id])
        mine = bool(cursor.fetchone()[0])
        try:
            yield mine
        finally:
            if mine:
                cursor.execute("select pg_advisory_unlock(%s, hashtext(%s))", [_LOCK, id])
