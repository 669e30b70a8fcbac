"""A decision in words: which policies made it, on what basis, what would be needed and whom to ask.

Whoever was refused is told what concerns the rule and themselves, never what a thing is that they may not see; security officers are told everything.
"""

from dataclasses import dataclass, field
from typing import Any

from haitang.base.actions import Actor, permissions
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.base.ids import id_of
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Person
from haitang.support.security.people.queries import actor_of
from haitang.support.security.policy.decide import CedarPolicy, covers, who_may
from haitang.support.security.policy.engine import engine
from haitang.support.security.policy.entities import Subject
from haitang.support.security.policy.models import Refusal
from haitang.support.security.policy.rows import FALSE, TRUE, rows
from haitang.support.security.policy.words import in_words
from haitang.support.security.policy.written import Written

GIVES_ROLES = "people.give_role"


@dataclass(frozen=True)
class Explanation:
    """`reach`: on what the actor has the permission, in words (empty: on nothing). `needed`: titles of roles; `ask`: titles of those who give roles."""

    permission: str
    title: str
    allowed: bool
    code: str
    reason: str
    policies: list[Written] = field(default_factory=list)
    reach: str = ""
    needed: list[str] = field(default_factory=list)
    ask: list[str] = field(default_factory=list)

    def as_json(self, *, whole: bool) -> dict[str, Any]:
        """`whole` adds the text and source of each policy."""
        told = [
            {"id": p.id, "title": p.title, "basis": p.basis, "ask": p.ask, **({"cedar": p.cedar, "source": p.source} if whole else {})}
            for p in self.policies
        ]
        plain = {name: getattr(self, name) for name in ("permission", "title", "allowed", "code", "reason", "reach", "needed", "ask")}
        return {**plain, "policies": told}


def explain(actor: Actor, permission: str, subject: Subject | None = None) -> Explanation:
    """Decide now, and say why."""
    decision = CedarPolicy().decide(actor=actor, permission=permission, resource=subject)
    return _told(actor, permission, decision.allowed, decision.code, decision.reason, decision.policies)


def explain_refusal(refusal: Refusal, actor: Actor | None) -> Explanation:
    """What was decided then, by the policies that are still there; `actor`: the refused one as they are today."""
    return _told(actor, refusal.permission, False, refusal.decision, refusal.reason, tuple(refusal.policies))


def _told(actor: Actor | None, permission: str, allowed: bool, code: str, reason: str, ids: tuple[str, ...]) -> Explanation:
    written = engine().policies
    reach = rows(actor, permission) if actor else FALSE
    return Explanation(
        permission=permission,
        title=permissions.get(permission, permission),
        allowed=allowed,
        code=code,
        reason=reason,
        policies=[written[id] for id in ids if id in written],
        reach=in_words(reach, actor.ref) if actor and reach not in (TRUE, FALSE) else "",
        needed=[] if allowed else who_may(permission),
        ask=[] if allowed else who_give_roles(),
    )


def who_give_roles() -> list[str]:
    try:
        roles = in_force().all(Role).values()
    except HaitangError:
        return []
    return [role.title for role in roles if any(covers(grant, GIVES_ROLES) for grant in role.may)]


def subject_then(refusal: Refusal) -> Subject:
    """What policies saw of the resource when it was refused."""
    return Subject(**refusal.subject)


def actor_now(ref: str) -> Actor | None:
    """The actor of a ref as they are today: a person's roles may have changed."""
    kind, _, id = ref.partition(":")
    if kind == "system":
        return Actor("system", id, id)
    found = Person.objects.filter(pk=id, kind=kind, is_active=True).first() if id_of(id) else None
    return actor_of(found) if found else None
