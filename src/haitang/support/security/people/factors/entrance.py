"""From a proof to a session: whoever has a second factor is asked for it before the session becomes theirs."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from haitang.base import clock
from haitang.base.actions import Act, acting, system
from haitang.base.errors import error
from haitang.support.security.people import actions as people
from haitang.support.security.people import sessions
from haitang.support.security.people.factors import passkeys
from haitang.support.security.people.factors.actions import WRONG_CODE, note_passkey, use_code
from haitang.support.security.people.factors.queries import has_factor
from haitang.support.security.people.models import Person

NEEDS_CODE = error("people.needs_code", 401, "请再输入验证器上的验证码（code）。")
NOTHING_PENDING = error("people.nothing_pending", 401, "登录等待的时间过长，请重新登录。")
SIGN_IN = system("sign-in")

_PENDING = "pending"
_LASTS = timedelta(minutes=10)


def begin(request: HttpRequest, person: Person, *, by: str) -> bool:
    """Open the session of who proved a first factor; False: a second one must follow, and the session waits for it."""
    if not has_factor(person):
        sessions.enter(request, person, by=by)
        return True
    request.session.flush()
    request.session[_PENDING] = {"who": str(person.pk), "by": by, "until": (clock.now() + _LASTS).isoformat()}
    return False


def pending(request: HttpRequest) -> tuple[Person, str]:
    """Who waits to give a second factor, and by what they proved themselves; raises NOTHING_PENDING."""
    waiting: dict[str, Any] = request.session.get(_PENDING) or {}
    if not waiting or waiting["until"] < clock.now().isoformat():
        raise NOTHING_PENDING()
    found = Person.objects.filter(pk=UUID(waiting["who"]), is_active=True).first()
    if found is None:
        raise NOTHING_PENDING()
    return found, waiting["by"]


def is_pending(request: HttpRequest) -> bool:
    return _PENDING in request.session


def finish_with_code(request: HttpRequest, typed: str) -> Person:
    """Raises NOTHING_PENDING, WRONG_CODE, or people.locked after too many wrong ones."""
    found, by = pending(request)
    sessions.enter(request, found, by=by, factor=check_code(request, found, typed))
    return found


def check_code(request: HttpRequest, person: Person, typed: str) -> str:
    """`totp` or `recovery`; raises WRONG_CODE, or people.locked."""
    counted = sessions.counted_for(request, person.username)
    with acting(SIGN_IN) as act:
        Person.objects.select_for_update().get(pk=person.pk)  # guesses that come at once are looked at one after another
        _refuse_blocked(act, counted)
        used = use_code(act=act, person=person, typed=typed, counted=counted)
    if not used:
        raise WRONG_CODE()
    return used


def _refuse_blocked(act: Act, counted: list[str]) -> None:
    if people.blocked(counted, act.at):
        raise sessions.locked(counted)


def enter_with_passkey(request: HttpRequest, answer: dict[str, Any]) -> Person:
    """Finish a sign-in that waits, or sign in by the passkey alone: it is two factors in one where the device verified its user."""
    waiting = pending(request) if is_pending(request) else None
    found = use_passkey(request, answer, waiting[0] if waiting else None)
    if not found.is_active:
        raise sessions.CANNOT_SIGN_IN()
    sessions.enter(request, found, by=waiting[1] if waiting else "passkey", factor="passkey")
    return found


def use_passkey(request: HttpRequest, answer: dict[str, Any], person: Person | None) -> Person:
    """Who answered; raises people.passkey_refused, also where it is somebody else than `person`."""
    passkey, count = passkeys.proved(request, answer, alone=person is None)
    if person is not None and passkey.person_id != person.pk:
        raise passkeys.REFUSED(reason="属于另一个账号")
    with acting(SIGN_IN) as act:
        note_passkey(act=act, passkey=passkey, sign_count=count)
    return passkey.person
