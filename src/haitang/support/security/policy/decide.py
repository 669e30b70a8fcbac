"""Serves the port `policy`: denies unless a role or a process entry gives the permission.

This is the seam at which Cedar comes in: everything that decides stands behind `RolePolicy.decide`, and nothing else looks at roles for a permission.

A grant is a permission word, or `case.*` for all of a room's, with `@own` behind it when it holds only for what belongs to the holder's organization.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from haitang.base.actions import Actor, permissions
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.base.ports import Decision
from haitang.support.security.people.kinds import Role
from haitang.support.security.policy.systems import allowed

EVERYONE = {
    "people.sign_in": "本人登录",
    "people.sign_out": "本人退出",
    "people.change_password": "本人修改密码",
    "people.set_preferences": "本人设置",
    "notices.seen": "本人查看通知",
    "notices.set_channels": "本人设置通知渠道",
}


OF_EVERY_ACT = {"notices.tell": "办理结果通知有关人员"}  # what an act that is itself allowed may always do besides


def covers(grant: str, permission: str) -> bool:
    """Whether a grant, without its `@own`, covers a permission."""
    return grant == permission or (grant.endswith(".*") and permission.startswith(grant[:-1]))


def grants_of(actor: Actor) -> list[tuple[str, str]]:
    """(role, grant) of every role that the actor holds and the release in force declares."""
    try:
        roles = in_force().all(Role)
    except HaitangError:
        return []
    return [(role, grant) for role in sorted(actor.roles) if role in roles for grant in roles[role].may]


def scope(actor: Actor, permission: str) -> str:
    """For lists: `all`, `own` (only what belongs to the actor's organization) or `none`."""
    if actor.kind == "system":
        return "all" if any(covers(grant, permission) for grant in allowed(actor.id).may) else "none"
    if permission in EVERYONE and actor.kind == "staff":
        return "all"
    given = [grant for _, grant in grants_of(actor) if covers(grant.removesuffix("@own"), permission)]
    if any(not grant.endswith("@own") for grant in given):
        return "all"
    return "own" if given and actor.organization else "none"


def organization_of(resource: Any) -> str | None:
    """The organization that a resource belongs to, when it says so."""
    for name in ("organization_id", "organization"):
        found = resource.get(name) if isinstance(resource, Mapping) else getattr(resource, name, None)
        if found is not None:
            return str(getattr(found, "pk", found))
    return None


def who_may(permission: str) -> list[str]:
    """Titles of the roles that a permission is given to, for the sentence that explains a refusal."""
    try:
        roles: Iterable[Role] = in_force().all(Role).values()
    except HaitangError:
        return []
    return [role.title for role in roles if any(covers(grant.removesuffix("@own"), permission) for grant in role.may)]


class RolePolicy:
    """Roles for people, the table of processes for systems, nothing for anyone else."""

    def decide(self, *, actor: Actor, permission: str, resource: Any) -> Decision:
        if permission not in permissions:
            return Decision(False, f"没有登记名为“{permission}”的权限", "unknown_permission")
        if actor.kind == "system":
            return self._system(actor, permission)
        if actor.kind == "staff" and permission in OF_EVERY_ACT:
            return Decision(True, OF_EVERY_ACT[permission], "everyone")
        if actor.kind != "staff":
            return Decision(False, "这类身份目前没有任何权限", "kind")
        if permission in EVERYONE:
            return Decision(True, EVERYONE[permission], "everyone")
        return self._staff(actor, permission, resource)

    def _system(self, actor: Actor, permission: str) -> Decision:
        entry = allowed(actor.id)
        given = any(covers(grant, permission) for grant in entry.may) or bool(entry.may and permission in OF_EVERY_ACT)
        return Decision(given, entry.reason if given else f"系统进程“{actor.id}”未获此项授权：{entry.reason}", "system")

    def _staff(self, actor: Actor, permission: str, resource: Any) -> Decision:
        reach = scope(actor, permission)
        if reach == "all":
            return Decision(True, "所任角色有此权限", "role")
        if reach == "own":
            own = resource is not None and organization_of(resource) == actor.organization
            return Decision(own, "属于本单位" if own else "只能办理本单位的事项", "own_organization")
        titles = "、".join(who_may(permission))
        return Decision(False, f"需要角色：{titles}" if titles else "没有角色获得此项授权", "no_role")
