"""Evidence blocks of the lake into the ledger. Entering a block twice changes nothing, so the position is only written now and then."""

from typing import Any

from haitang.base.actions import acting, system
from haitang.hub.data.lake import offsets
from haitang.support.security.evidence.actions import record_block

NAME = "ledger"
_AT_ONCE = 500  # blocks in one transaction


class ToLedger:
    """Enters the blocks that came since; `position` is the last one that is in the ledger."""

    def __init__(self, lake: Any) -> None:
        self.lake = lake
        self.position = self._kept = offsets.load(lake, NAME).last

    def follow(self, lake: Any, position: int) -> None:
        """Enter the blocks up to `position` (a follower of the writer)."""
        while self.position < position:
            blocks = self.lake.execute(
                "select id, table_name, rows, root, first_seq, last_seq, written_at, release, coalesce(arity, 2) from lake.blocks where id > ? order by id limit ?",
                [self.position, _AT_ONCE],
            ).fetchall()
            with acting(system("writer")) as act:
                for id, table, rows, root, first, last, at, release, arity in blocks:
                    record_block(
                        act=act,
                        block=str(id),
                        table=table,
                        rows=rows,
                        root=bytes.fromhex(root),
                        first=first,
                        last=last,
                        written_at=at,
                        release=release,
                        arity=arity,
                    )
            self.position = blocks[-1][0] if blocks else position

    def keep(self) -> None:
        """Remember the position in the running transaction of the lake."""
        if self.position > self._kept:
            offsets.reach(self.lake, NAME, self.position)
            self._kept = self.position
