"""`haitang gather --mend RUN FILE`: quarantined rows mended by a corrected file."""

from pathlib import Path
from typing import Any

from haitang.base.actions import acting, system
from haitang.hub.data.gather import actions, by_file, incoming, queries
from haitang.hub.data.gather.actions import Mended


def mend(run: str, file: Path) -> Mended:
    """Take a corrected file for a run; raises gather.no_run and what `by_file` says."""
    operator = system("operator")
    found = queries.get(operator, run)
    rows = by_file.given(found, file)
    kept = incoming.keep_file(file)
    incoming.drop(kept)
    with acting(operator) as act:
        return actions.mend_by_file(act=act, run=found, rows=rows, digest=kept.digest)


def told_of(done: Mended) -> dict[str, Any]:
    return {
        "passed": done.passed, "refused": done.refused, "settled": done.settled, "unknown": done.unknown,
        "resubmitted_in": str(done.again.pk) if done.again else None,
    }  # fmt: skip


def in_words(done: Mended) -> str:
    return f"文件里 {done.passed} 行已提交，{done.refused} 行仍不合规，{done.settled} 行先前已办，{done.unknown} 行不属于本任务"


def left(run: str) -> int:
    """How many rows of the run are still to be dealt with."""
    return queries.get(system("operator"), run).held.filter(state__in=("open", "mended", "submitted")).count()
