"""The first factor of an officer takes two: whoever can set the password (the system administrator) must not be able to register it too.

So the holder of an office registers a first factor only with a code that a second officer, the security administrator, handed over in person.
The officers of a new instance have no second officer yet: who was appointed by the first administrator (or is the first) registers once without.
"""

from datetime import timedelta
from uuid import UUID

from haitang.base.actions import Act
from haitang.base.errors import error
from haitang.support.security.cryptography.small_secrets import keyed_digest
from haitang.support.security.people.factors.models import Authenticator, Enrolment, Passkey, RecoveryCode
from haitang.support.security.people.factors.queries import has_factor
from haitang.support.security.people.models import Person
from haitang.support.security.people.officers import is_officer
from haitang.support.security.people.passwords import one_time_secret

NEEDS_ENROLMENT = error(
    "people.needs_enrolment",
    403,
    "三员登记首个第二因素须有登记码。请当面向安全管理员领取（人员页面“重置第二因素”），在“第二因素”页面输入后再登记。",
)
WRONG_ENROLMENT = error("people.wrong_enrolment", 400, "登记码不正确、已使用或已过期。请向安全管理员重新领取。")
OFFICER_WITHOUT_FACTOR = error(
    "people.officer_without_factor",
    409,
    "“{name}”担任三员而没有第二因素，只凭密码就能冒用其身份，不能重置密码或邀请。请在服务器上运行 haitang people reset {username} --factors。",
)

LASTS = timedelta(days=1)
_OPEN = timedelta(minutes=30)
_PURPOSE = "enrolment"
_BOOTSTRAP = ("people.first_administrator", "people.appoint")


def refuse_by_password_alone(act: Act, person: Person) -> None:
    """Raise OFFICER_WITHOUT_FACTOR where a new password would be all it takes to be this officer. The operator of the machine is who mends it."""
    if act.actor.kind != "system" and is_officer(person) and not has_factor(person):
        raise OFFICER_WITHOUT_FACTOR(name=person.name, username=person.username)


def needs_enrolment(person: Person) -> bool:
    """Whether a code must come before the first factor."""
    return is_officer(person) and not has_factor(person) and not _first_of_instance(person)


def _first_of_instance(person: Person) -> bool:
    """Appointed when the instance was new, and no factor was registered since: read from the evidence ledger, which cannot be undone."""
    from haitang.support.security.evidence.models import EvidenceRecord

    told = EvidenceRecord.objects.filter(subject_kind="person", subject_id=str(person.pk))
    appointed = told.filter(action__in=_BOOTSTRAP).order_by("-id").values_list("id", flat=True).first()
    if appointed is None:
        return False
    since = told.filter(id__gt=appointed)
    registered = since.filter(action="people.add_factor").exclude(facts__confirmed=False)
    return not registered.exists() and not told.filter(action="people.reset_factors").exists()


def drop_factors(person: Person) -> int:
    """Every factor of a person goes, and codes to register one; returns how many authenticators and passkeys there were."""
    forget(person)
    counts = [model.objects.filter(person=person).delete()[0] for model in (Authenticator, Passkey, RecoveryCode)]
    return sum(counts[:2])


def new_code(act: Act, person: Person) -> str:
    """A code to hand over in person, returned once; earlier ones count no more."""
    forget(person)
    code = one_time_secret()
    Enrolment.objects.create(person=person, digest=keyed_digest(code, _PURPOSE), made_by=act.actor.ref, expires_at=act.at + LASTS)
    return code


def forget(person: Person) -> None:
    """No code of this person counts any more."""
    Enrolment.objects.filter(person=person).delete()


def opened(act: Act, person: Person, code: str) -> Enrolment:
    """The enrolment that a code opens, once; raises WRONG_ENROLMENT."""
    digest = keyed_digest("".join(code.split()).lower(), _PURPOSE)
    found = Enrolment.objects.select_for_update().filter(person=person, digest=digest, opened_at=None, expires_at__gt=act.at).first()
    if found is None:
        raise WRONG_ENROLMENT()
    found.opened_at = act.at
    found.save(update_fields=["opened_at"])
    return found


def is_open(act: Act, person: Person, enrolment: str) -> bool:
    """Whether this session (it keeps the id) entered the code of this person a short while ago."""
    found = Enrolment.objects.filter(pk=UUID(enrolment), person=person, opened_at__gt=act.at - _OPEN) if enrolment else None
    return found is not None and found.exists()
