"""Serves the port `policy`: every decision is Cedar's, over the policies that stand in `written.py`. Nothing else looks at roles for a permission.

A grant of a role is a permission word, or `case.*` for all of a room's, with `@own` behind it when it holds only for what belongs to the holder's organization.
"""

from collections.abc import Iterable
from typing import Any

from haitang.base.actions import Actor, permissions
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.base.ports import Decision
from haitang.support.security.people.kinds import Role
from haitang.support.security.policy.engine import NONE, Circumstances, Engine, Verdict, engine
from haitang.support.security.policy.entities import PLATFORM, subject_of
from haitang.support.security.policy.rows import FALSE, rows
from haitang.support.security.policy.systems import allowed

__all__ = ["CedarPolicy", "covers", "rows", "scope", "who_may"]


def covers(grant: str, permission: str) -> bool:
    """Whether a grant, without its `@own`, covers a permission."""
    return grant == permission or (grant.endswith(".*") and permission.startswith(grant[:-1]))


def scope(actor: Actor, permission: str) -> str:
    """How far a permission reaches: `all` (also without a particular thing), `own` (only what meets a condition, such as one's organization) or `none`.

    Lists use `rows`: a policy may still take single rows from what is `all`.
    """
    found = rows(actor, permission)
    return "all" if found.holds(PLATFORM) else "none" if found == FALSE else "own"


def who_may(permission: str) -> list[str]:
    """Titles of the roles that a permission is given to, for the sentence that explains a refusal."""
    try:
        roles: Iterable[Role] = in_force().all(Role).values()
    except HaitangError:
        return []
    return [role.title for role in roles if any(covers(grant.removesuffix("@own"), permission) for grant in role.may)]


class CedarPolicy:
    """What policies permit and none forbids."""

    def decide(self, *, actor: Actor, permission: str, resource: Any, around: Circumstances = NONE) -> Decision:
        if permission not in permissions:
            return Decision(False, f"没有登记名为“{permission}”的权限", "unknown_permission")
        of = engine()
        verdict = of.verdict(actor, permission, subject_of(resource), around)
        if verdict.errors:
            return Decision(False, "有授权规则无法判断，按不允许处理", "policy_error", verdict.policies)
        return _allowed(of, verdict) if verdict.allowed else _refused(of, verdict, actor, permission)


_SORTS = ("role", "own", "system", "shipped", "declared")
_CODES = {"role": "role", "own": "own_organization", "system": "system", "shipped": "everyone", "declared": "policy"}
_REASONS = {"role": "所任角色有此权限", "own": "属于本单位"}


def _allowed(of: Engine, verdict: Verdict) -> Decision:
    first = min((of.policies[id] for id in verdict.policies), key=lambda each: _SORTS.index(each.sort))
    return Decision(True, _REASONS.get(first.sort, first.title), _CODES[first.sort], verdict.policies)


def _refused(of: Engine, verdict: Verdict, actor: Actor, permission: str) -> Decision:
    if verdict.policies:
        titles = "、".join(dict.fromkeys(of.policies[id].title for id in verdict.policies))
        return Decision(False, f"授权规则不允许：{titles}", "forbidden", verdict.policies)
    reach = rows(actor, permission)
    if reach != FALSE:
        own = reach.attribute == "organization" or {part.attribute for part in reach.parts} == {"organization"}
        return Decision(False, "只能办理本单位的事项" if own else "不符合授权规则的条件", "own_organization" if own else "condition")
    if actor.kind == "system" and not actor.roles:
        return Decision(False, f"系统进程“{actor.id}”未获此项授权：{allowed(actor.id).reason}", "system")
    if actor.kind not in ("staff", "system"):
        return Decision(False, "这类身份目前没有任何权限", "kind")
    titles = "、".join(who_may(permission))
    return Decision(False, f"需要角色：{titles}" if titles else "没有角色获得此项授权", "no_role")
