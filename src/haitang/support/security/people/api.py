"""Sessions and people as JSON.

A program signs in with `POST /api/session` and keeps the cookies; each later write carries the header `X-CSRFToken` with the `csrf` member of the answer.
Signing in itself needs no token, but the body must be sent as application/json, which no form of a foreign page can do.
"""

from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Router, Schema

from haitang.base.actions import acting, permission, permissions, require
from haitang.base.errors import error
from haitang.base.settings import settings
from haitang.base.text import active_language
from haitang.support.security.people import actions, proof, sessions
from haitang.support.security.people.factors import entrance
from haitang.support.security.people.identity import actor, acts_as, lacks_factor, must_change, person, signed_in
from haitang.support.security.people.models import Person
from haitang.support.security.policy.decide import scope

router = Router(tags=["people"])

NEEDS_JSON = error("people.needs_json", 415, "请以 application/json 发送用户名和密码。")
permission("people.read", "查看人员")


class Credentials(Schema):
    username: str
    password: str
    code: str = ""


class NewPerson(Schema):
    username: str
    name: str
    organization: str | None = None
    email: str = ""
    roles: list[str] = []


def _who(request: HttpRequest, who: Person) -> dict[str, Any]:
    acting_as = acts_as(request, who)
    reaches = {name: scope(acting_as, name) for name in sorted(permissions)}
    return {
        "person": str(who.id),
        "kind": who.kind,
        "username": who.username,
        "name": who.name,
        "organization": acting_as.organization,
        "on_behalf_of": acting_as.on_behalf_of,
        "roles": sorted(acting_as.roles),
        "may": [name for name, reach in reaches.items() if reach != "none"],
        "may_own": [name for name, reach in reaches.items() if reach == "own"],
        "must_change_password": must_change(request, who),
        "must_enrol": lacks_factor(request, who, acting_as),
        "synthetic": who.synthetic,
        "language": active_language(),
        "demo": settings().demo,
        "csrf": get_token(request),
    }


@router.post("/session", summary="登录", auth=None)
def post_session(request: HttpRequest, body: Credentials) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise NEEDS_JSON()
    found = sessions.check(request, body.username, body.password)
    if not entrance.begin(request, found, by="password"):
        if not body.code:
            raise entrance.NEEDS_CODE()
        entrance.finish_with_code(request, body.code)
    return _who(request, found)


def _wall(request: HttpRequest) -> dict[str, Any]:
    """What a screen on a wall is told of itself: what the front needs for its live feed."""
    who = actor(request)
    may = [name for name in sorted(permissions) if scope(who, name) == "all"]
    return {
        "person": who.id, "kind": who.kind, "name": who.name, "may": may, "may_own": [], "must_change_password": False, "must_enrol": False,
    }  # fmt: skip


@router.get("/session", summary="我是谁，可以做什么", auth=None)
def get_session(request: HttpRequest) -> dict[str, Any]:
    if sessions.WALL in request.session:
        return _wall(request)
    return _who(request, person(request))


class Proof(Schema):
    password: str = ""
    code: str = ""


@router.post("/session/proof", summary="再次验证身份，以便办理重要操作", auth=signed_in)
def post_proof(request: HttpRequest, body: Proof) -> dict[str, Any]:
    """Opens sensitive actions for a while: by the code of a second factor, or by the password where there is none."""
    proof.prove(request, person(request), password=body.password, code=body.code)
    return _who(request, person(request))


@router.delete("/session", summary="退出", auth=signed_in)
def delete_session(request: HttpRequest) -> dict[str, bool]:
    sessions.sign_out(request)
    return {"signed_in": False}


@router.post("/personas/{role}", summary="切换示例身份（仅演示）", auth=None)
def post_persona(request: HttpRequest, role: str) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise NEEDS_JSON()
    return _who(request, sessions.switch_persona(request, role))


@router.get("/people", summary="人员", auth=signed_in)
def get_people(request: HttpRequest) -> list[dict[str, Any]]:
    require(actor(request), "people.read")
    return [
        {
            "id": str(found.id),
            "username": found.username,
            "name": found.name,
            "organization": found.organization_id,
            "roles": sorted(holding.role for holding in found.holdings.all()),
            "active": found.is_active,
            "synthetic": found.synthetic,
        }
        for found in Person.objects.prefetch_related("holdings").order_by("username")
    ]


@router.post("/people", summary="新建人员", auth=signed_in)
def post_person(request: HttpRequest, body: NewPerson) -> dict[str, str]:
    """Answers with the one-time secret by which the person first signs in."""
    with acting(actor(request)) as act:
        made = actions.create_person(act=act, username=body.username, name=body.name, organization=body.organization, email=body.email)
        for role in body.roles:
            actions.give_role(act=act, person=made, role=role)
        return {"id": str(made.id), "secret": actions.first_secret(act=act, person=made)}
