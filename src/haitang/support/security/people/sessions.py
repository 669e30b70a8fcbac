"""Signing in and out: the session of a browser or program. The session key changes at each sign-in."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import login, logout
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError, error
from haitang.base.ids import new_id
from haitang.base.settings import settings
from haitang.support.security.people import throttle
from haitang.support.security.people.actions import record_sign_in, record_sign_out, try_sign_in
from haitang.support.security.people.ending import end_sessions_of
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Person, Session
from haitang.support.security.people.queries import actor_of

CANNOT_SIGN_IN = error("people.cannot_sign_in", 401, "用户名或密码不正确。")
LOCKED = error(
    "people.locked", 429, "密码错误次数过多，请 {minutes} 分钟后再试；从常用的浏览器登录不受他人输错的影响。也可请管理员重置密码。"
)
NOT_A_DEMO = error("people.not_a_demo", 403, "只有演示实例可以切换身份。")
NO_PERSONA = error("people.no_persona", 404, "没有角色“{role}”的示例人员。")

BACKEND = "django.contrib.auth.backends.ModelBackend"
MARK = "haitang_browser"
WALL = "wall"
MARK_LASTS = 180 * 86400
_SALT = "haitang.people.browser"


def address_of(request: HttpRequest) -> str:
    """The address that the front saw: it drops what a client says of itself."""
    return (request.headers.get("X-Forwarded-For") or request.META.get("REMOTE_ADDR") or "").split(",")[0].strip()[:64]


def browser_of(request: HttpRequest, username: str) -> str:
    """The mark of a browser that this account has signed in from, else nothing."""
    try:
        known = signing.loads(request.COOKIES.get(MARK, ""), salt=_SALT, max_age=MARK_LASTS)
    except signing.BadSignature:
        return ""
    return str(known["mark"]) if known.get("who") == username else ""


def counted_for(request: HttpRequest, username: str) -> list[str]:
    """What a proof by this request is counted under."""
    return throttle.keys(account=username, address=address_of(request), browser=browser_of(request, username))


def check(request: HttpRequest, username: str, password: str) -> Person:
    """Who has this name and password; raises CANNOT_SIGN_IN, or LOCKED after too many wrong ones. Refusals are kept as evidence."""
    with acting(system("sign-in")) as act:
        found, reason = try_sign_in(
            act=act, username=username, password=password, address=address_of(request), browser=browser_of(request, username)
        )
    if found is None:
        raise locked(counted_for(request, username)) if reason == "locked" else CANNOT_SIGN_IN()
    return found


def locked(counted: list[str]) -> HaitangError:
    """The refusal, with the minutes that are left."""
    until: datetime | None = throttle.blocked_until(counted, clock.now())
    return LOCKED(minutes=max(1, -(-int((until - clock.now()).total_seconds()) // 60)) if until else 1)


def enter(request: HttpRequest, person: Person, *, by: str, factor: str = "") -> None:
    """Open the session of somebody who proved who they are, and leave evidence; `factor` names the second factor that was used."""
    with acting(system("sign-in")) as act:
        record_sign_in(act=act, person=person, by=f"{by} {factor}".strip())
        throttle.succeeded(counted_for(request, person.username))
    open_session(request, person, by=by, factor=factor)


def sign_out(request: HttpRequest) -> None:
    """Close the session; nothing happens where there is none."""
    if isinstance(request.user, Person):
        with acting(actor_of(request.user)) as act:
            record_sign_out(act=act, person=request.user)
            if row := Session.objects.filter(session_key=request.session.session_key or "").first():
                end_sessions_of(act, request.user, only=row)
    logout(request)


def switch_persona(request: HttpRequest, role: str) -> Person:
    """Become the made-up person of a role: in a demonstration only, and never a real person."""
    if not settings().demo:
        raise NOT_A_DEMO()
    found = Person.objects.filter(synthetic=True, is_active=True, holdings__role=role).order_by("username").first()
    if found is None:
        raise NO_PERSONA(role=role)
    enter(request, found, by="persona")
    request.session["persona"] = role
    return found


def personas() -> list[tuple[str, Role, Person]]:
    """(role id, role, made-up person) for each role that says what its persona is, first made first; empty unless this is a demonstration."""
    if not settings().demo:
        return []
    people = {
        holding.role: person
        for person in Person.objects.filter(synthetic=True, is_active=True)
        .order_by("-username")
        .select_related("organization")
        .prefetch_related("holdings")
        for holding in person.holdings.all()
    }
    found = [(id, role, people[id]) for id, role in in_force().all(Role).items() if role.persona and id in people]
    return sorted(found, key=lambda each: each[2].joined_at)


def renew(request: HttpRequest, person: Person) -> None:
    """Go on under a new session key after a change of password."""
    kept = {name: request.session.get(name, "") for name in ("by", "factor")}
    open_session(request, person, **kept)


def open_session(request: HttpRequest, person: Person, *, by: str, factor: str = "") -> None:
    """The one place where a session becomes somebody's."""
    request.session.flush()
    now = clock.now()
    said: dict[str, Any] = {
        "id": str(new_id()), "started": now.isoformat(), "proved": now.isoformat(), "sort": person.kind, "by": by, "factor": factor,
        "device": {"address": address_of(request), "agent": request.headers.get("User-Agent", "")[:300]},
    }  # fmt: skip
    request.session.update(said)
    login(request, person, backend=BACKEND)
    request.haitang_mark = person.username  # type: ignore[attr-defined]
    for kept in ("_haitang_actor", "_haitang_reader"):
        if hasattr(request, kept):
            delattr(request, kept)


def open_wall(request: HttpRequest, wall: UUID, ends: datetime) -> None:
    """The session of a screen: nobody's, and open until `ends` without a click."""
    request.session.flush()
    said: dict[str, Any] = {
        "id": str(new_id()), "started": clock.now().isoformat(), "sort": "wall", "by": "wall", WALL: str(wall), "ends": ends.isoformat(),
        "device": {"address": address_of(request), "agent": request.headers.get("User-Agent", "")[:300]},
    }  # fmt: skip
    request.session.update(said)
    request.session.set_expiry(ends)


def prove_again(request: HttpRequest) -> None:
    """The person proved once more who they are: sensitive actions are open for a while."""
    request.session["proved"] = clock.now().isoformat()
    if hasattr(request, "_haitang_actor"):
        del request._haitang_actor


def mark_browser(request: HttpRequest, answer: HttpResponseBase) -> None:
    """Let the browser carry the mark by which this account's owner is not delayed by others' guesses."""
    username = getattr(request, "haitang_mark", "")
    if username and not browser_of(request, username):
        value = signing.dumps({"who": username, "mark": new_id().hex}, salt=_SALT)
        answer.set_cookie(MARK, value, max_age=MARK_LASTS, httponly=True, samesite="Lax", secure=settings().url.startswith("https"))
