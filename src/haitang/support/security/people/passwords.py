"""What a password must be. The rules are those of GB/T 22239-2019 8.1.4.1 (complexity, regular change) and of NIST SP 800-63B (length, common passwords)."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache

from django.contrib.auth.hashers import check_password as matches
from django.contrib.auth.password_validation import CommonPasswordValidator, UserAttributeSimilarityValidator
from django.core.exceptions import ValidationError

from haitang.base.durations import parse_span
from haitang.base.errors import error
from haitang.support.security.people.kinds import SignIn
from haitang.support.security.people.models import PastPassword, Person
from haitang.support.security.people.sign_in_policy import policy_for

WEAK_PASSWORD = error("people.weak_password", 400, "密码至少 {least} 个字符，须含字母和数字，且不能包含用户名。")
COMMON_PASSWORD = error("people.common_password", 400, "这个密码太常见，容易被猜中。请换一个，例如几个不相关的词加数字。")
SIMILAR_PASSWORD = error("people.similar_password", 400, "密码与用户名、姓名、邮箱或手机号太相似。请换一个。")
USED_PASSWORD = error("people.used_password", 400, "这是您最近 {history} 次用过的密码。请换一个新的。")

_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
_ABOUT = ("username", "name", "email", "mobile", "staff_number")


def check_password(person: Person, password: str, past: Iterable[str] = ()) -> None:
    """Raise the first reason why this person may not have this password; `past` are hashes of earlier ones."""
    policy = policy_for(person.kind)
    mixed = any(c.isalpha() for c in password) and any(c.isdigit() for c in password)
    if len(password) < policy.least or len(password) > 256 or not mixed or person.username.lower() in password.lower():
        raise WEAK_PASSWORD(least=policy.least)
    try:
        _common().validate(password)
    except ValidationError:
        raise COMMON_PASSWORD() from None
    try:
        UserAttributeSimilarityValidator(user_attributes=_ABOUT).validate(password, person)
    except ValidationError:
        raise SIMILAR_PASSWORD() from None
    if any(matches(password, each) for each in past):
        raise USED_PASSWORD(history=policy.history)


@cache
def _common() -> CommonPasswordValidator:
    return CommonPasswordValidator()


def past_of(person: Person) -> list[str]:
    """The hashes that a new password must differ from: the present one and those before it."""
    history = policy_for(person.kind).history
    earlier = PastPassword.objects.filter(person=person).order_by("-at").values_list("password", flat=True)[: max(history - 1, 0)]
    return [person.password, *earlier] if history and person.has_usable_password() else []


def keep_past(person: Person, at: datetime) -> None:
    """Remember the password that is about to be replaced, and forget what no policy asks for any more."""
    if person.has_usable_password():
        PastPassword.objects.create(person=person, password=person.password, at=at)
    kept = PastPassword.objects.filter(person=person).order_by("-at").values_list("pk", flat=True)[: policy_for(person.kind).history]
    PastPassword.objects.filter(person=person).exclude(pk__in=list(kept)).delete()


def too_old(person: Person, policy: SignIn, at: datetime) -> bool:
    """Whether the password is older than the policy lets it grow."""
    ends = _ends(person, policy)
    return ends is not None and ends < at


def days_left(person: Person, policy: SignIn, at: datetime) -> int | None:
    """Whole days until it is; None where it may grow as old as it likes."""
    ends = _ends(person, policy)
    return max(0, (ends - at).days) if ends is not None else None


def _ends(person: Person, policy: SignIn) -> datetime | None:
    age: timedelta | None = parse_span(policy.password_age) if policy.password_age else None
    return (person.password_set_at or person.joined_at) + age if age is not None and person.has_usable_password() else None


def one_time_secret() -> str:
    """A password to be read out or printed once, such as `k7mq-2xwd-hn94-ttge` (about 79 bits)."""
    while True:
        groups = ["".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(4)]
        secret = "-".join(groups)
        if any(c.isdigit() for c in secret) and any(c.isalpha() for c in secret):
            return secret
