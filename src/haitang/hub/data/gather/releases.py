"""The declarations that a run is judged and landed under: those that were in force when it began, whatever came after (ADR 0012)."""

from functools import lru_cache
from typing import TYPE_CHECKING

from haitang.base.declarations import Declarations, in_force, release_digest
from haitang.base.declarations.release import Pointer, digest_at, load_at, pointer

if TYPE_CHECKING:
    from haitang.hub.data.gather.models import Run


def note(run: "Run") -> None:
    """Keep in a run what is in force as it begins. The database is asked: what this process knows may be two seconds old."""
    there = pointer()
    if there is None:
        run.release = release_digest()
        return
    run.declared = {"admission": there.admission, "edits": list(there.edits), "provisional": [list(each) for each in there.provisional]}
    run.release = in_force().digest if digest_at(there) == in_force().digest else _at(there).digest


def under(run: "Run") -> Declarations:
    """The declarations of a run; raises declarations.release_broken."""
    now = in_force()
    if not run.declared or run.release == now.digest:
        return now
    kept = run.declared
    return _at(Pointer(kept["admission"], tuple(kept["edits"]), tuple((id, status) for id, status in kept["provisional"])))


@lru_cache(maxsize=4)  # a run has thousands of parts
def _at(there: Pointer) -> Declarations:
    return load_at(there)
