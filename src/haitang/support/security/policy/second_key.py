"""Serves the port `second_key`: what a change of roles, policies or sign-in settings means, in words, for whoever consents to it."""

from collections.abc import Iterator, Mapping
from typing import Any

from haitang.base.actions import Actor, permissions
from haitang.base.declarations import Declarations
from haitang.base.declarations.changes import Change, changes
from haitang.base.declarations.loader import Loaded
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Person, RoleHolding
from haitang.support.security.people.officers import SECURITY_ADMINISTRATOR
from haitang.support.security.policy.engine import NONE, Engine
from haitang.support.security.policy.rows import FALSE, TRUE, Filter, work_out
from haitang.support.security.policy.words import in_words

NOBODY = "目前无人担任"
_SOMEWHERE = "where the role's holder works"


class SecurityAdministrator:
    """The second key."""

    kinds = frozenset({"role", "policy", "sign_in"})

    def is_held(self) -> bool:
        from haitang.support.security.people.actions import appointed

        return RoleHolding.objects.filter(role=SECURITY_ADMINISTRATOR).exists() or appointed(SECURITY_ADMINISTRATOR)

    def tell(self, before: Loaded | None, after: Loaded) -> list[dict[str, str]]:
        """Each change of what a role may do (by role and permission), then the changed texts themselves."""
        found = [change for change in changes(before, after) if change.kind in self.kinds]
        old = before.partial if before else Declarations("", {})
        roles: Mapping[str, Role] = {**old.all(Role), **after.partial.all(Role)}
        if all(change.kind != "policy" for change in found):  # a role's grants reach nobody else
            roles = {id: role for id, role in roles.items() if any((change.kind, change.id) == ("role", id) for change in found)}
        reaches = list(_reaches(old, after.partial, roles)) if roles else []
        return [*reaches, *(_text(change) for change in found)]


def _reaches(old: Declarations, new: Declarations, roles: Mapping[str, Role]) -> Iterator[dict[str, str]]:
    """What each role may do before and after, where that differs: asked of both sets of policies, whatever they say it by."""
    was, will = Engine(old), Engine(new)
    for id, role in roles.items():
        actor = Actor("staff", "", "", organization=_SOMEWHERE, roles=frozenset({id}))
        for word, title in permissions.items():
            then, now = work_out(was, actor, word, NONE), work_out(will, actor, word, NONE)
            if then != now:
                yield {
                    "role": role.title,
                    "holders": _holders(id),
                    "permission": title,
                    "word": word,
                    "before": _said(then),
                    "after": _said(now),
                }


def _said(reach: Filter) -> str:
    if reach == FALSE:
        return "不能"
    if reach == TRUE:
        return "全部内容"
    return (
        "本单位的" if reach == Filter("==", attribute="organization", value=_SOMEWHERE) else in_words(reach).replace(_SOMEWHERE, "本单位")
    )


def _holders(role: str) -> str:
    names = list(Person.objects.filter(is_active=True, holdings__role=role).order_by("name").values_list("name", flat=True)[:21])
    return "、".join(names[:20]) + ("等" if len(names) > 20 else "") or NOBODY


def _text(change: Change) -> dict[str, Any]:
    return {"change": str(change), "kind": change.kind}
