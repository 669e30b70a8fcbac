"""What takes two keys: declarations that decide who may do what come in force only with the consent of the security administrator too.

The room of policies says which kinds these are and whether the office was ever given (`ports.second_key`). Whoever runs `haitang apply` or decides edits must
not be able to give themselves, or anybody, a permission (separation of duties, GB/T 22239-2019 8.1.6).
"""

from haitang.base import ports
from haitang.base.declarations.changes import Change, changes
from haitang.base.declarations.loader import Loaded


def guarded(kind: str) -> bool:
    """Whether a change of this kind takes consent, now."""
    return kind in ports.second_key().kinds and ports.second_key().is_held()


def guarded_changes(before: Loaded | None, after: Loaded) -> list[Change]:
    """The changes that take consent; the first release has none, for nobody was there before it."""
    kinds = ports.second_key().kinds
    return [change for change in changes(before, after) if change.kind in kinds] if before else []


def needs_consent(before: Loaded | None, after: Loaded) -> bool:
    """Whether the release must wait. One that replaces what this version of the software cannot read does not: under that, nobody could sign in to consent."""
    if before is not None and before.declarations is None:
        return False
    return bool(guarded_changes(before, after)) and ports.second_key().is_held()
