"""All that the writer's process holds while it runs: the lake, the lock that makes it the only writer, the twin, the followers, the upkeep."""

import time
from collections.abc import Sequence
from typing import Any

import psycopg
import structlog
from django.db import close_old_connections

from haitang.base.errors import error
from haitang.base.pace import Pace
from haitang.base.postgresql import sessions
from haitang.base.settings import settings
from haitang.hub.data.lake import compact, connection, followers, rollup, schema
from haitang.hub.data.lake.ledger import ToLedger
from haitang.hub.data.lake.to_twin import ToTwin
from haitang.hub.data.lake.transaction import transaction
from haitang.hub.data.lake.writer import Writer, Written
from haitang.support.infrastructure.stream.messages import Batch

log = structlog.get_logger()

TAKEN = error("lake.writer_runs", 409, "另一个写入进程正在使用这个数据湖，请先停止它。")
# An outside server, too, is to notice within seconds that we are gone behind a broken network: its session would hold the lock for hours, and nobody could write.
NOTICED = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
LOCK = 0x68_61_69_74_61_6E_67  # advisory lock of the lake's one writer

MERGE_EVERY = 60.0  # seconds
TIDY_EVERY = 3600.0
ROLLUP_EVERY = 2.0
ROLLUP_LATEST = 300.0
ROLLUP_SHARE = 0.2  # of the writer's time, under a load that would have it take more: charts are then a few seconds older


class Session:
    """Lives in one thread. After an error make a new one: memory may be behind the lake."""

    def __init__(self, stream: str) -> None:
        self.database = psycopg.connect(settings().database_url, autocommit=True, options=NOTICED, application_name=sessions.name())
        try:
            if not self.database.execute("select pg_try_advisory_lock(%s)", [LOCK]).fetchone()[0]:  # type: ignore[index]
                raise TAKEN()
            self._open(stream)
        except BaseException:
            self.database.close()
            raise

    def _open(self, stream: str) -> None:
        self.lake: Any = connection.writer()
        schema.ensure(self.lake)
        self.writer = Writer(self.lake, stream)
        self.twin = ToTwin(self.database, self.lake)
        self.ledger = ToLedger(self.lake)
        self._roll_up_at, self._roll_up_pace = 0.0, Pace(times=1 / ROLLUP_SHARE, least=0.0, most=ROLLUP_LATEST)
        self._merged = self._tidied = time.monotonic()
        self.twin.catch_up(self.writer.position)

    def store(self, messages: Sequence[tuple[int, Batch]]) -> Written:
        """Store messages; once this returns they may be acknowledged."""
        return self.writer.write(messages)

    def follow(self, written: Written, before: int) -> None:
        """What comes after the acknowledgement of what was written; `before` is the last block before it."""
        self.twin.follow(written, before)

    def upkeep(self, *, force: bool = False) -> bool:
        """Whatever is due: announcements, rollups, evidence, followers, merging, tidying. Returns whether a follower added to the lake, and may soon have more."""
        self.database.execute("select 1")  # the lock went with the connection: stop writing rather than write unguarded
        self.twin.announce()
        position, at = self.writer.position, time.monotonic()
        if force or at >= self._roll_up_at:
            rollup.update(self.lake, position)
            ended = time.monotonic()
            self._roll_up_at = max(at + ROLLUP_EVERY, ended + self._roll_up_pace.rest(ended - at))
            close_old_connections()
            self._enter_blocks(position)
            added = self._follow(force=force)
        else:
            added = self._follow(anytime=True)
        if at - self._tidied >= TIDY_EVERY:
            with transaction(self.lake, "offsets"):
                self.ledger.keep()
            log.info("lake.tidied", files_removed=compact.tidy(self.lake))
            self._tidied = self._merged = at
        elif at - self._merged >= MERGE_EVERY:
            self._merged = at
            compact.merge_unless_merged(self.lake)
        return added

    def _follow(self, **how: bool) -> bool:
        """Followers may add blocks of their own: then the next block of the stream comes after them."""
        if followers.run(self.lake, self.writer.position, **how):
            self.writer.look_again()
            return True
        return False

    def _enter_blocks(self, position: int) -> None:
        """A ledger that refuses holds up neither rows nor answers; it is asked again."""
        try:
            self.ledger.follow(self.lake, position)
        except Exception:
            log.exception("lake.blocks_not_entered")

    def close(self) -> None:
        self.lake.close()
        self.database.close()
