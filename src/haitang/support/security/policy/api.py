"""Explanations and policies as JSON."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from haitang.base.actions import may, require
from haitang.support.security.people.identity import actor, signed_in
from haitang.support.security.policy import queries
from haitang.support.security.policy.engine import engine
from haitang.support.security.policy.explain import actor_now, explain_refusal

router = Router(tags=["policy"], auth=signed_in)


@router.get("/why/{code}", summary="为什么被拒绝")
def get_why(request: HttpRequest, code: str) -> dict[str, Any]:
    """One's own refusal; a security officer reads any."""
    who = actor(request)
    found = queries.refusal(who, code)
    officer = may(who, queries.READ)
    told = explain_refusal(found, actor_now(found.actor)).as_json(whole=officer)
    more = {"actor": found.actor, "subject": found.subject, "count": found.count, "way": found.way} if officer else {}
    return {"refusal": found.code, "at": found.last_at, "evidence": str(found.evidence) if found.evidence else None, **told, **more}


@router.get("/policies", summary="授权规则")
def get_policies(request: HttpRequest) -> list[dict[str, Any]]:
    require(actor(request), queries.READ)
    names = ("id", "title", "sort", "basis", "ask", "source", "cedar")
    return [{name: getattr(found, name) for name in names} for found in engine().policies.values()]
