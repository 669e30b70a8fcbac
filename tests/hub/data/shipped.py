"""The declarations that ship, with those of the reference place: read once for all tests of a worker, since nothing changes them."""

from functools import cache
from pathlib import Path

from haitang.base.declarations import Declarations
from haitang.base.declarations.loader import load_folders
from haitang.base.declarations.owners import applications, owner_of_folder, rooms
from haitang.server.discovery import load_kinds

PLACE = Path(__file__).parents[3] / "places/dazu"


@cache
def shipped() -> Declarations:
    load_kinds()
    loaded = load_folders([*rooms(), *applications(), owner_of_folder(PLACE, "place")])
    assert loaded.declarations, "\n".join(map(str, loaded.errors))
    return loaded.declarations
