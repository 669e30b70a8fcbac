"""Tokens as JSON. A token tells only of itself; making, changing and revoking needs a session."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from haitang.base.actions import acting, permissions
from haitang.support.security.people.identity import actor, person, signed_in
from haitang.support.security.policy.decide import scope
from haitang.support.security.tokens import actions, queries
from haitang.support.security.tokens.models import Token

router = Router(tags=["tokens"], auth=signed_in)


class NewToken(Schema):
    title: str
    scopes: list[str]
    expires_at: datetime
    only: list[str] | None = None


def row(token: Token) -> dict[str, Any]:
    """A token without its secret."""
    names = ("id", "prefix", "title", "scopes", "only", "created_at", "expires_at", "used_at", "revoked_at")
    return {**{name: getattr(token, name) for name in names}, "holder": token.holder, "in_use": queries.in_use(token)}


@router.get("/tokens", summary="本人的访问令牌")
def get_tokens(request: HttpRequest) -> list[dict[str, Any]]:
    return [row(found) for found in queries.tokens_of(person(request))]


@router.get("/tokens/self", summary="这个令牌是谁的，可以做什么")
def get_self(request: HttpRequest) -> dict[str, Any]:
    """Of the token that the request carries."""
    token = getattr(request, "_haitang_token", None)
    if token is None:
        raise queries.NO_TOKEN()
    who = actor(request)
    reaches = {name: scope(who, name) for name in sorted(permissions)}
    return {
        **row(token),
        "kind": who.kind,
        "person": who.id,
        "may": [name for name, reach in reaches.items() if reach != "none"],
        "may_own": [name for name, reach in reaches.items() if reach == "own"],
    }


@router.post("/tokens", summary="新建本人的访问令牌")
def post_token(request: HttpRequest, body: NewToken) -> dict[str, Any]:
    """`token` is told this once."""
    with acting(actor(request)) as act:
        made, written = actions.create_own_token(
            act=act, person=person(request), title=body.title, scopes=body.scopes, expires_at=_aware(body.expires_at), only=body.only
        )
    return {**row(made), "token": written}


@router.post("/tokens/{id}/rotate", summary="更换访问令牌")
def post_rotate(request: HttpRequest, id: UUID) -> dict[str, Any]:
    with acting(actor(request)) as act:
        made, written = actions.rotate_token(act=act, token=queries.one_token(id))
    return {**row(made), "token": written}


@router.delete("/tokens/{id}", summary="吊销访问令牌")
def delete_token(request: HttpRequest, id: UUID) -> dict[str, bool]:
    with acting(actor(request)) as act:
        actions.revoke_token(act=act, token=queries.one_token(id))
    return {"revoked": True}


def _aware(at: datetime) -> datetime:
    from haitang.base import clock

    return at if at.tzinfo else at.replace(tzinfo=clock.CHINA)
