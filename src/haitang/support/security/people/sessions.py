"""Signing in and out: the session of a browser or program. The session key changes at each sign-in."""

from django.contrib.auth import login, logout
from django.http import HttpRequest

from haitang.base.actions import acting, system
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.base.settings import settings
from haitang.support.security.people.actions import record_sign_in, record_sign_out, try_sign_in
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Person
from haitang.support.security.people.queries import actor_of

CANNOT_SIGN_IN = error("people.cannot_sign_in", 401, "用户名或密码不正确。")
LOCKED = error("people.locked", 429, "密码错误次数过多，账号已暂时锁定，请 15 分钟后再试，或请管理员重置密码。")
NOT_A_DEMO = error("people.not_a_demo", 403, "只有演示实例可以切换身份。")
NO_PERSONA = error("people.no_persona", 404, "没有角色“{role}”的示例人员。")

BACKEND = "django.contrib.auth.backends.ModelBackend"


def sign_in(request: HttpRequest, username: str, password: str) -> Person:
    """Open a session; raises CANNOT_SIGN_IN, or LOCKED after too many wrong passwords. Both are kept as evidence."""
    with acting(system("sign-in")) as act:
        found, reason = try_sign_in(act=act, username=username, password=password)
        if found is not None:
            record_sign_in(act=act, person=found)
    if found is None:
        raise LOCKED() if reason == "locked" else CANNOT_SIGN_IN()
    _open(request, found)
    return found


def sign_out(request: HttpRequest) -> None:
    """Close the session; nothing happens where there is none."""
    if isinstance(request.user, Person):
        with acting(actor_of(request.user)) as act:
            record_sign_out(act=act, person=request.user)
    logout(request)


def switch_persona(request: HttpRequest, role: str) -> Person:
    """Become the made-up person of a role: in a demonstration only, and never a real person."""
    if not settings().demo:
        raise NOT_A_DEMO()
    found = Person.objects.filter(synthetic=True, is_active=True, holdings__role=role).order_by("username").first()
    if found is None:
        raise NO_PERSONA(role=role)
    with acting(system("sign-in")) as act:
        record_sign_in(act=act, person=found, by="persona")
    _open(request, found)
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
    _open(request, person)


def _open(request: HttpRequest, person: Person) -> None:
    request.session.flush()
    login(request, person, backend=BACKEND)
    if hasattr(request, "_haitang_actor"):
        del request._haitang_actor
