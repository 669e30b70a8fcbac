"""Step-up: a sensitive action asks its person once more who they are, and then goes on with what they typed.

What was typed travels through the question signed, for this person and for a short time; nothing secret is among it.
"""

from typing import Any

from django.contrib.auth.hashers import check_password as matches
from django.core import signing
from django.http import HttpRequest, HttpResponse

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import ErrorKind, HaitangError, error
from haitang.base.shell.views import show
from haitang.base.text import sentence_of
from haitang.support.security.people import actions, sessions, throttle
from haitang.support.security.people.factors import entrance, passkeys
from haitang.support.security.people.factors.queries import factors_of, has_factor
from haitang.support.security.people.identity import lacks_factor, own_actor, person
from haitang.support.security.people.models import Person

WRONG_PROOF = error("people.wrong_proof", 403, "没有通过验证，请核对后再试。")
PROOF_TOO_OLD = error("people.proof_too_old", 400, "这次操作等待验证的时间过长，请回到原来的页面重新提交。")

_SALT = "haitang.people.proof"
_LASTS = 1800
_SECRET = ("csrfmiddlewaretoken", "password", "current", "new", "again", "code", "secret")


def ask(request: HttpRequest, found: HaitangError) -> HttpResponse:
    """The page that asks."""
    who = person(request)
    typed = {name: request.POST.getlist(name) for name in request.POST if name not in _SECRET}
    kept = signing.dumps({"path": request.get_full_path(), "typed": typed, "who": str(who.pk)}, salt=_SALT, compress=True)
    return show(request, "people/prove.html", _asks(request, who, kept, why=sentence_of(found)), status=403)


def _asks(request: HttpRequest, who: Person, kept: str, **more: Any) -> dict[str, Any]:
    asked = {"by_password": by_password(who), "factors": factors_of(who), "possible": passkeys.possible(request)}
    return {"kept": kept, "who": who, **asked, **more}


def _just_proved(request: HttpRequest) -> bool:
    """The passkey answered a moment ago (`/prove/passkey`), and its page now sends what waits."""
    until = own_actor(request).proved_until
    return until is not None and until > clock.now()


def by_password(who: Person) -> bool:
    """Whether the password is what is asked: where the person has no second factor."""
    return not has_factor(who)


def lacks(request: HttpRequest) -> bool:
    """Whether a role of the reader asks for a factor that they have not registered."""
    who = person(request)
    return lacks_factor(request, who, own_actor(request))


def answer(request: HttpRequest) -> HttpResponse:
    """What comes of the question: on with the action, or asked again."""
    who, kept = person(request), request.POST.get("kept", "")
    try:
        waiting = signing.loads(kept, salt=_SALT, max_age=_LASTS)
    except signing.BadSignature:
        raise PROOF_TOO_OLD() from None
    if waiting["who"] != str(who.pk):
        raise PROOF_TOO_OLD()
    try:
        if "passkey" not in request.POST or not _just_proved(request):
            prove(request, who, password=request.POST.get("password", ""), code=request.POST.get("code", ""))
    except HaitangError as refused:
        return show(request, "people/prove.html", _asks(request, who, kept, problem=sentence_of(refused)), status=refused.status)
    typed = [(name, value) for name, values in waiting["typed"].items() for value in values]
    return show(request, "people/proved.html", {"path": waiting["path"], "typed": typed})


def prove(request: HttpRequest, who: Person, *, password: str = "", code: str = "") -> None:
    """Open sensitive actions for a while; raises WRONG_PROOF or people.wrong_code, or people.locked after too many wrong ones."""
    if by_password(who):
        check_password(request, who, password)
    else:
        entrance.check_code(request, who, code)
    sessions.prove_again(request)


def check_password(request: HttpRequest, who: Person, password: str, wrong: ErrorKind = WRONG_PROOF) -> None:
    """The password of somebody signed in; a wrong one is counted and kept like a wrong sign-in. Raises `wrong`, or people.locked."""
    counted = sessions.counted_for(request, who.username)
    with acting(system("sign-in")) as act:
        Person.objects.select_for_update().get(pk=who.pk)  # guesses that come at once are looked at one after another
        if actions.blocked(counted, act.at):
            raise sessions.locked(counted)
        right = matches(password, who.password)
        if right:
            throttle.succeeded(counted)
        else:
            actions.count_wrong_proof(act=act, person=who, counted=counted, reason="proof")
    if not right:
        raise wrong()
