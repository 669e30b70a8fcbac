"""Writes about factors. Everybody keeps their own; a lost one is reset by the security administrator, who cannot reset the password too."""

from haitang.base.actions import Act, action
from haitang.base.errors import error
from haitang.support.security.people.actions import count_wrong_proof
from haitang.support.security.people.ending import end_sessions_of
from haitang.support.security.people.factors import codes, enrolment
from haitang.support.security.people.factors.models import Authenticator, Passkey, RecoveryCode
from haitang.support.security.people.factors.passkeys import Registered
from haitang.support.security.people.factors.queries import has_factor
from haitang.support.security.people.models import Person
from haitang.support.security.people.officers import is_officer, one_human

WRONG_CODE = error("people.wrong_code", 400, "验证码不正确，或已经用过。请输入验证器上新的 6 位数字。")
NOT_YOURS = error("people.factor_not_yours", 404, "没有这个验证器或通行密钥。")
OWN_FACTORS = error("people.own_factors", 403, "不能重置自己的第二因素。请由另一位安全管理员办理。")
LAST_OF_OFFICER = error("people.last_factor", 409, "三员须保留至少一种第二因素。请先登记另一种，再移除这一种。")
PASSKEY_KNOWN = error("people.passkey_known", 409, "这个通行密钥已经登记过。")

ADD = "people.add_factor"


def _own(act: Act, person: Person) -> None:
    if act.actor.ref != f"{person.kind}:{person.id}":
        raise NOT_YOURS()


def _open(act: Act, person: Person, opened: str) -> None:
    """Raise people.needs_enrolment where an officer's first factor wants the code of a second officer. Asked under a lock: two do not both come first."""
    _own(act, person)
    Person.objects.select_for_update().get(pk=person.pk)
    if enrolment.needs_enrolment(person) and not enrolment.is_open(act, person, opened):
        raise enrolment.NEEDS_ENROLMENT()


@action(ADD, title="登记第二因素", fresh=True)
def enter_enrolment(*, act: Act, person: Person, code: str) -> str:
    """Enter the code that a second officer handed over; returns what the session keeps. Raises people.wrong_enrolment."""
    _own(act, person)
    found = enrolment.opened(act, person, code)
    act.record("person", str(person.id), {"factor": "enrolment", "confirmed": False, "made_by": found.made_by})
    return str(found.pk)


@action(ADD, title="登记第二因素", fresh=True)
def add_authenticator(*, act: Act, person: Person, opened: str = "") -> tuple[Authenticator, str]:
    """A new authenticator and its secret, which counts once a code of it was entered. One that was never confirmed is replaced.

    `opened`: what `enter_enrolment` returned to this session, for an officer's first factor.
    """
    _open(act, person, opened)
    Authenticator.objects.filter(person=person, confirmed_at=None).delete()
    secret, sealed = codes.new_secret()
    made = Authenticator.objects.create(person=person, secret=sealed, created_at=act.at)
    act.record("person", str(person.id), {"factor": "totp", "confirmed": False})
    return made, secret


@action(ADD, title="登记第二因素", fresh=True)
def confirm_authenticator(*, act: Act, person: Person, code: str, opened: str = "") -> list[str]:
    """Let the waiting authenticator count; returns recovery codes where the person has none yet. Raises WRONG_CODE."""
    _open(act, person, opened)
    waiting = Authenticator.objects.select_for_update().filter(person=person, confirmed_at=None).first()
    step = codes.step_of(codes.secret_of(waiting), codes.tidy(code), act.at, 0) if waiting else None
    if waiting is None or step is None:
        raise WRONG_CODE()
    waiting.confirmed_at, waiting.last_step = act.at, step
    waiting.save(update_fields=["confirmed_at", "last_step"])
    act.record("person", str(person.id), {"factor": "totp", "confirmed": True})
    return _first_codes(person)


@action(ADD, title="登记第二因素", fresh=True)
def add_passkey(*, act: Act, person: Person, registered: Registered, title: str, opened: str = "") -> list[str]:
    """Keep a passkey; returns recovery codes where the person has none yet."""
    _open(act, person, opened)
    if Passkey.objects.filter(credential=registered.credential).exists():
        raise PASSKEY_KNOWN()
    Passkey.objects.create(
        person=person, credential=registered.credential, public_key=registered.public_key, sign_count=registered.sign_count,
        transports=registered.transports, title=title.strip()[:64] or "通行密钥", created_at=act.at,
    )  # fmt: skip
    act.record("person", str(person.id), {"factor": "passkey"})
    return _first_codes(person)


def _first_codes(person: Person) -> list[str]:
    enrolment.forget(person)
    return [] if RecoveryCode.objects.filter(person=person, used_at=None).exists() else codes.new_recovery_codes(person)


@action("people.remove_factor", title="移除第二因素", fresh=True)
def remove_factor(*, act: Act, person: Person, factor: Authenticator | Passkey) -> None:
    """Take one of one's own factors away; an officer keeps the last. Raises people.last_factor."""
    _own(act, person)
    if factor.person_id != person.pk:
        raise NOT_YOURS()
    Person.objects.select_for_update().get(pk=person.pk)
    factor.delete()
    if not has_factor(person):
        if is_officer(person):
            raise LAST_OF_OFFICER()
        RecoveryCode.objects.filter(person=person).delete()
    act.record("person", str(person.id), {"factor": "passkey" if isinstance(factor, Passkey) else "totp"})


@action("people.new_recovery_codes", title="更换恢复码", fresh=True)
def new_recovery_codes(*, act: Act, person: Person) -> list[str]:
    """Ten new codes; the old ones count no more."""
    _own(act, person)
    act.record("person", str(person.id))
    return codes.new_recovery_codes(person)


@action("people.reset_factors", title="重置他人的第二因素", fresh=True)
def reset_factors(*, act: Act, person: Person) -> str:
    """Take every factor of somebody who lost theirs; they are signed out, and register a new one when their role asks for it.

    Returns, for the holder of an office, the code with which they register it: shown once to this second officer, who hands it over in person.
    """
    if any(one_human(person, ref) for ref in act.actor.refs):
        raise OWN_FACTORS()
    enrolment.drop_factors(person)
    end_sessions_of(act, person)
    office = is_officer(person)
    act.record("person", str(person.id), {"office": office})
    return enrolment.new_code(act, person) if office else ""


@action("people.use_factor", title="使用第二因素")
def use_code(*, act: Act, person: Person, typed: str, counted: list[str]) -> str:
    """`totp` or `recovery`, or nothing: a wrong code is counted and kept, so it must not be raised inside."""
    used = codes.use(person, typed, act.at)
    if used:
        left = RecoveryCode.objects.filter(person=person, used_at=None).count()
        act.record("person", str(person.id), {"factor": used, "recovery_codes": left})
    else:
        count_wrong_proof(act=act, person=person, counted=counted, reason="code")
    return used


@action("people.use_factor", title="使用第二因素")
def note_passkey(*, act: Act, passkey: Passkey, sign_count: int) -> None:
    """A passkey answered."""
    passkey.sign_count, passkey.used_at = sign_count, act.at
    passkey.save(update_fields=["sign_count", "used_at"])
    act.record("person", str(passkey.person_id), {"factor": "passkey"})
