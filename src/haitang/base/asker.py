"""Who asks, for what is answered without Django (`data_api.py` of a room).

The front's door puts an `Asker` into the ASGI scope under `ASKER`. A scope is made inside the process, so no header of a client can forge one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from haitang.base.errors import error

ASKER = "haitang.asker"
NO_ACTOR = error("base.no_actor", 401, "请先登录。")
MAY_NOT_ASK = error("base.may_not_ask", 403, "您没有“{permission}”的权限。需要时请联系管理员。")


@dataclass(frozen=True)
class Asker:
    """A signed-in person: `may` are the permissions that hold for everything, `may_own` those for their organization only."""

    ref: str
    may: frozenset[str]
    may_own: frozenset[str] = frozenset()


def asker_who_may(scope: Mapping[str, Any], permission: str, title: str) -> Asker:
    """The asker of a request, who has `permission` for everything; raises NO_ACTOR or MAY_NOT_ASK."""
    found = scope.get(ASKER)
    if not isinstance(found, Asker):
        raise NO_ACTOR()
    if permission not in found.may:
        raise MAY_NOT_ASK(permission=title)
    return found
