"""Who makes a request.

    router = Router(auth=signed_in)                # JSON: 401 unless signed in, CSRF checked for writes
    with acting(actor(request)) as act: ...

Pages use `haitang.base.shell.views.page`, which asks `reader` here through the shell.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja.security import SessionAuth

from haitang.base import clock
from haitang.base.actions import Actor
from haitang.base.errors import HaitangError, error
from haitang.base.text import T, translate
from haitang.support.security.people.models import Delegation, Person
from haitang.support.security.people.officers import clash, roles_of_human
from haitang.support.security.people.passwords import too_old
from haitang.support.security.people.queries import actor_of
from haitang.support.security.people.sign_in_policy import needs_second_factor, policy_for, proof_lasts

NOT_SIGNED_IN = error("people.not_signed_in", 401, "请先登录。")
MUST_CHANGE = error("people.must_change_password", 403, "请先修改一次性密码。")
TOO_OLD = error("people.password_too_old", 403, "密码已到期，请先修改密码。")
ACTING_FOR = "acting_for"
FOR_ANOTHER = T("{taker}（代{giver}）")
MUST_ENROL = error("people.must_enrol", 403, "您的角色要求第二因素，请先在“我的账号”登记验证器或通行密钥。")


def person(request: HttpRequest) -> Person:
    """The person signed in; raises NOT_SIGNED_IN."""
    user = getattr(request, "user", None)
    if not isinstance(user, Person) or not user.is_active:
        raise NOT_SIGNED_IN()
    return user


def actor(request: HttpRequest) -> Actor:
    """The actor of a request, read once; raises NOT_SIGNED_IN, MUST_CHANGE while the password is a one-time one, TOO_OLD, or MUST_ENROL."""
    found = getattr(request, "_haitang_actor", None)
    if found is None and (wall := request.session.get("wall")):
        from haitang.support.security.people.walls.queries import actor_at

        found = request._haitang_actor = actor_at(request, wall)  # type: ignore[attr-defined]
    if found is None:
        who = person(request)
        if must_change(request, who):
            raise MUST_CHANGE() if who.must_change_password else TOO_OLD()
        found = _proved(request, who, acts_as(request, who))
        if lacks_factor(request, who, found):
            raise MUST_ENROL()
        request._haitang_actor = found  # type: ignore[attr-defined]
    assert isinstance(found, Actor)
    return found


def acts_as(request: HttpRequest, who: Person) -> Actor:
    """With whose roles this session acts: the person's own, or of whom they act for. Before every hurdle."""
    return _acting_for(request, who) or actor_of(who)


def must_change(request: HttpRequest, who: Person) -> bool:
    """Whether a new password comes first: after a one-time one, and once it is older than the policy allows where the session was opened with it."""
    by_password = request.session.get("by") == "password" and not who.synthetic
    return who.must_change_password or (by_password and too_old(who, policy_for(who.kind), clock.now()))


def _proved(request: HttpRequest, who: Person, found: Actor) -> Actor:
    proved = request.session.get("proved")
    return replace(found, proved_until=datetime.fromisoformat(proved) + proof_lasts(who.kind)) if proved else found


def own_actor(request: HttpRequest) -> Actor:
    """The reader themselves, on nobody's behalf and before the hurdle of a missing factor: for one's own account."""
    who = person(request)
    return _proved(request, who, actor_of(who))


def _acting_for(request: HttpRequest, who: Person) -> Actor | None:
    """The actor on behalf of another, where this session acts so and the delegation still holds; `apart` is asked each time."""
    chosen = request.session.get(ACTING_FOR)
    if not chosen:
        return None
    now = clock.now()
    found = (
        Delegation.objects.filter(pk=chosen, taker=who, ended_at=None, starts_at__lte=now, ends_at__gt=now, giver__is_active=True)
        .select_related("giver")
        .first()
    )
    if found is None:
        del request.session[ACTING_FOR]
        return None
    roles = set(found.roles) & set(found.giver.holdings.values_list("role", flat=True))
    if clash(roles | roles_of_human(who)):
        return None
    name = translate(FOR_ANOTHER, taker=who.name, giver=found.giver.name)
    return replace(
        actor_of(who), name=name, organization=found.giver.organization_id, roles=frozenset(roles), on_behalf_of=f"staff:{found.giver_id}"
    )


def lacks_factor(request: HttpRequest, who: Person, found: Actor) -> bool:
    """Whether a role asks for a second factor that this session was opened without. Made-up people have nobody to keep one."""
    return not who.synthetic and not request.session.get("factor") and needs_second_factor(who.kind, found.roles)


def hurdle(request: HttpRequest) -> str:
    """Where a person who is signed in goes before anything else: to the change of a one-time password, to the registration of a factor, or nowhere."""
    try:
        actor(request)
    except HaitangError as refused:
        return {MUST_CHANGE.code: "/password", TOO_OLD.code: "/password", MUST_ENROL.code: "/account/factors"}.get(refused.code, "")
    return ""


def reader(request: HttpRequest) -> Actor | None:
    """For the shell: who reads a page. A hurdle opens no page but the one that takes it."""
    try:
        return actor(request) if hasattr(request, "session") else None
    except HaitangError:
        return None


class SignedIn(SessionAuth):
    """The session cookie, with Django's CSRF check on writes."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        return actor(request)


signed_in = SignedIn()
