"""Reads of refusals."""

from django.db.models import QuerySet

from haitang.base.actions import Actor, may, permission
from haitang.base.errors import error
from haitang.support.security.policy.models import Refusal

READ = permission("policy.read", "查看授权规则和被拒绝的请求")
NO_REFUSAL = error("policy.no_refusal", 404, "没有编号为“{code}”的记录，或者不是您的请求。请核对编号。")


def refusal(actor: Actor, code: str) -> Refusal:
    """A refusal of the actor's own, or any for who reads policies; raises NO_REFUSAL, the same for one that is another's."""
    found = Refusal.objects.filter(code=code.upper()[:16]).first()
    if found is None or (found.actor != actor.ref and not may(actor, READ)):
        raise NO_REFUSAL(code=code[:16])
    return found


def recent() -> QuerySet[Refusal]:
    """Refusals, the latest first."""
    return Refusal.objects.order_by("-last_at")
