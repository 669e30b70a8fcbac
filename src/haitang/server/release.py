"""The release in force, for a process that runs long: looked up in the database at most every two seconds."""

from haitang.base.declarations import Declarations
from haitang.base.declarations.in_force import NOTHING_IN_FORCE
from haitang.base.declarations.loader import load_folders, owners_of
from haitang.base.settings import settings

_loaded: Declarations | None = None


def current() -> Declarations:
    """The declarations in force; raises NOTHING_IN_FORCE while there is none."""
    global _loaded
    if _loaded is None:
        _loaded = load_folders(owners_of(settings())).declarations
    if _loaded is None:
        raise NOTHING_IN_FORCE()
    return _loaded
