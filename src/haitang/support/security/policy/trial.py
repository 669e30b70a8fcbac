"""“May X do Y on Z?”, as a security officer asks it: nothing is done, nothing is kept."""

from collections.abc import Mapping
from dataclasses import dataclass

from haitang.base.actions import Actor, permissions
from haitang.base.errors import error
from haitang.support.security.people.queries import actor_of, person_named
from haitang.support.security.policy.entities import SORTS, Subject, level_of
from haitang.support.security.policy.explain import Explanation, explain

NO_SUCH_PERMISSION = error("policy.no_such_permission", 404, "没有“{permission}”这个权限。")
WHO_ASKS = error("policy.who_asks", 400, "请写人员的用户名，或者选角色。")

ASKED = (
    "username",
    "sort",
    "roles",
    "on_organization",
    "permission",
    "kind",
    "organization",
    "division",
    "owner",
    "level",
    "stage",
    "purpose",
)


@dataclass(frozen=True)
class Trial:
    """What was asked, as typed."""

    username: str = ""
    sort: str = "staff"
    roles: tuple[str, ...] = ()
    organization: str = ""

    def actor(self) -> Actor:
        """The person of that name, or somebody with those roles. Raises WHO_ASKS, people.no_such_username."""
        if self.username:
            return actor_of(person_named(self.username))
        if not self.roles and self.sort == "staff":
            raise WHO_ASKS()
        sort = self.sort if self.sort in SORTS else "staff"
        return Actor(sort, "trial", "trial", self.organization or None, frozenset(self.roles) if sort == "staff" else frozenset())


def try_it(trial: Trial, permission: str, thing: Mapping[str, str]) -> Explanation:
    """Decide and explain. `thing`: kind, organization, division, owner, level, stage as typed; raises NO_SUCH_PERMISSION too."""
    if permission not in permissions:
        raise NO_SUCH_PERMISSION(permission=permission[:64])
    given = {name: value.strip() or None for name, value in thing.items()}
    if not any(given.values()):
        return explain(trial.actor(), permission)
    level = given.pop("level", None)
    kind = given.pop("kind", None) or "thing"
    number = int(level) if level and level.isascii() and level.isdigit() and len(level) < 3 else level_of(level)
    return explain(trial.actor(), permission, Subject(ref=f"{kind}:trial", kind=kind, level=number, **given))
