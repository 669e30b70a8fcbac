"""Who makes a request.

    router = Router(auth=signed_in)                # JSON: 401 unless signed in, CSRF checked for writes
    with acting(actor(request)) as act: ...

Pages use `haitang.base.shell.views.page`, which asks `reader` here through the shell.
"""

from typing import Any

from django.http import HttpRequest
from ninja.security import SessionAuth

from haitang.base.actions import Actor
from haitang.base.errors import error
from haitang.support.security.people.models import Person
from haitang.support.security.people.queries import actor_of

NOT_SIGNED_IN = error("people.not_signed_in", 401, "请先登录。")
MUST_CHANGE = error("people.must_change_password", 403, "请先修改一次性密码。")


def person(request: HttpRequest) -> Person:
    """The person signed in; raises NOT_SIGNED_IN."""
    user = request.user
    if not isinstance(user, Person) or not user.is_active:
        raise NOT_SIGNED_IN()
    return user


def actor(request: HttpRequest) -> Actor:
    """The actor of a request, read once; raises NOT_SIGNED_IN, or MUST_CHANGE while the password is a one-time one."""
    found = getattr(request, "_haitang_actor", None)
    if found is None:
        who = person(request)
        if who.must_change_password:
            raise MUST_CHANGE()
        found = actor_of(who)
        request._haitang_actor = found  # type: ignore[attr-defined]
    assert isinstance(found, Actor)
    return found


def reader(request: HttpRequest) -> Actor | None:
    """For the shell: who reads a page. A one-time password opens no page but the one that changes it."""
    user = getattr(request, "user", None)
    if not isinstance(user, Person) or not user.is_active or user.must_change_password:
        return None
    return actor(request)


class SignedIn(SessionAuth):
    """The session cookie, with Django's CSRF check on writes."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        return actor(request)


signed_in = SignedIn()
