"""Writes about people: who exists, what roles they hold, how they sign in."""

from datetime import datetime
from typing import NoReturn

from django.contrib.auth.hashers import check_password as matches
from django.contrib.auth.hashers import make_password

from haitang.base.actions import Act, action
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.support.security.evidence.facts import Secret
from haitang.support.security.people import throttle
from haitang.support.security.people.ending import end_sessions_of, revoke_tokens_of
from haitang.support.security.people.humans import human_of
from haitang.support.security.people.kinds import Organization as DeclaredOrganization
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import STAFF, Organization, Person, RoleHolding, Session
from haitang.support.security.people.officers import ADMINISTRATOR, OFFICERS, one_human, refuse_unless_apart
from haitang.support.security.people.passwords import check_password, keep_past, one_time_secret, past_of
from haitang.support.security.people.sign_in_policy import policy_for
from haitang.support.security.people.told import refuse_wrong

USERNAME_TAKEN = error("people.username_taken", 409, "用户名“{username}”已被使用，请另选一个。")
STAFF_NUMBER_TAKEN = error("people.staff_number_taken", 409, "工号“{staff_number}”已属于另一人。请核对工号。")
NO_SUCH_ORGANIZATION = error("people.no_such_organization", 404, "没有机构“{organization}”。")
NO_SUCH_ROLE = error("people.no_such_role", 404, "没有声明角色“{role}”。")
OWN_ROLE = error("people.own_role", 403, "不能给自己授予角色，也不能授予自己的另一个账号。请由另一位安全管理员办理。")
STAFF_ONLY = error("people.staff_only", 409, "“{name}”不是工作人员账号，不能担任角色。请为其另建工作人员账号。")
WRONG_PASSWORD = error("people.wrong_password", 403, "当前密码不正确。")
SAME_PASSWORD = error("people.same_password", 400, "新密码不能与当前密码相同。")
ADMINISTRATOR_EXISTS = error("people.administrator_exists", 409, "系统管理员已经存在。忘记密码时请运行 haitang people reset 用户名。")
NOT_AN_OFFICE = error("people.not_an_office", 400, "首位系统管理员只能任命安全管理员和审计管理员。其他角色请由安全管理员授予。")
NO_SESSION = error("people.no_session", 404, "这个登录已经结束。")
APPOINTED = error("people.appointed", 403, "“{role}”已经任命过，首位系统管理员的任命权到此为止。请由安全管理员办理。")


@action("people.create", title="新建人员")
def create_person(
    *,
    act: Act,
    username: str,
    name: str,
    organization: str | None = None,
    password: str | None = None,
    kind: str = STAFF,
    email: str = "",
    mobile: str = "",
    dingtalk: str = "",
    staff_number: str | None = None,
    identity_number: str = "",
    synthetic: bool = False,
) -> Person:
    """A new account. Without a password its person cannot sign in until `set_password`.

    `identity_number`: the resident ID number, of which a keyed digest is kept, so that accounts of one human being are known to be.
    """
    refuse_wrong(name=name, email=email, mobile=mobile, username=username)
    if Person.objects.filter(username__iexact=username).exists():
        raise USERNAME_TAKEN(username=username)
    if staff_number and Person.objects.filter(staff_number=staff_number).exists():
        raise STAFF_NUMBER_TAKEN(staff_number=staff_number)
    if organization and not Organization.objects.filter(pk=organization).exists():
        raise NO_SUCH_ORGANIZATION(organization=organization)
    person = Person(
        username=username,
        name=name,
        organization_id=organization,
        kind=kind,
        email=email,
        mobile=mobile,
        dingtalk=dingtalk,
        staff_number=staff_number or None,
        synthetic=synthetic,
        password=make_password(password),
        password_set_at=act.at,
        must_change_password=password is not None and not synthetic,
    )
    if password is not None:
        check_password(person, password)
    person.human = human_of(identity_number)
    person.save(force_insert=True)
    facts = {"username": Secret(username), "name": Secret(name), "organization": organization, "kind": kind, "synthetic": synthetic}
    act.record("person", str(person.id), facts)
    return person


@action("people.set_password", title="重置密码", fresh=True)
def set_password(*, act: Act, person: Person, password: str | None = None) -> str:
    """Set someone's password (default: a one-time secret) and return it; they must change it when they next sign in. Ends their sessions.

    Their factors stay: raises people.officer_without_factor where an officer has none.
    """
    from haitang.support.security.people.factors.enrolment import refuse_by_password_alone

    refuse_by_password_alone(act, person)
    chosen = password or one_time_secret()
    check_password(person, chosen)
    _new_password(act, person, chosen, one_time=True)
    throttle.forgive(person.username)
    end_sessions_of(act, person)
    act.record("person", str(person.id), {"tokens_revoked": revoke_tokens_of(act, person)})
    return chosen


@action("people.create", title="新建人员")
def first_secret(*, act: Act, person: Person) -> str:
    """The one-time secret of an account that nobody has used yet."""
    chosen = one_time_secret()
    _new_password(act, person, chosen, one_time=True)
    act.record("person", str(person.id))
    return chosen


@action("people.change_password", title="修改密码")
def change_password(*, act: Act, person: Person, current: str, new: str, keep: str = "") -> None:
    """One's own password; the current one must be known. Every other session than `keep` (a session key) ends."""
    if act.actor.ref != f"{person.kind}:{person.id}" or not matches(current, person.password):
        raise WRONG_PASSWORD()
    if current == new:
        raise SAME_PASSWORD()
    check_password(person, new, past_of(person))
    _new_password(act, person, new, one_time=False)
    end_sessions_of(act, person, but=keep)
    act.record("person", str(person.id))


def _new_password(act: Act, person: Person, chosen: str, *, one_time: bool) -> None:
    person.invitations.filter(used_at=None).delete()  # a link that was sent before must not undo it
    keep_past(person, act.at)
    person.password, person.must_change_password, person.password_set_at = make_password(chosen), one_time, act.at
    person.save(update_fields=["password", "must_change_password", "password_set_at"])


@action("people.give_role", title="授予角色", fresh=True)
def give_role(*, act: Act, person: Person, role: str) -> None:
    """Let a member of staff hold a declared role: never oneself by any account, and none that must be kept apart from what the human being holds."""
    if role not in in_force().all(Role):
        raise NO_SUCH_ROLE(role=role)
    _hold(act, person, role)


def _hold(act: Act, person: Person, role: str) -> None:
    """The holding itself. Who comes into an office keeps no session and no factor of before: whoever set those up would hold the office too."""
    if any(one_human(person, ref) for ref in act.actor.refs):
        raise OWN_ROLE()
    if person.kind != STAFF:
        raise STAFF_ONLY(name=person.name)
    refuse_unless_apart(person, role)
    _, new = RoleHolding.objects.get_or_create(person=person, role=role)
    dropped = _begin_office(act, person) if new and role in OFFICERS else {}
    act.record("person", str(person.id), {"role": role, **dropped})


def _begin_office(act: Act, person: Person) -> dict[str, int]:
    from haitang.support.security.people.factors.enrolment import drop_factors

    return {"factors_dropped": drop_factors(person), "sessions_ended": end_sessions_of(act, person)}


@action("people.take_role", title="收回角色", fresh=True)
def take_role(*, act: Act, person: Person, role: str) -> None:
    """Take a role from a person."""
    RoleHolding.objects.filter(person=person, role=role).delete()
    act.record("person", str(person.id), {"role": role})


@action("people.set_active", title="启用或停用人员")
def set_active(*, act: Act, person: Person, active: bool) -> None:
    """A person who is not active cannot sign in, and is signed out; what they did stays theirs."""
    person.is_active = active
    person.save(update_fields=["is_active"])
    if not active:
        end_sessions_of(act, person)
    act.record("person", str(person.id), {"active": active})


@action("people.end_sessions", title="结束他人的登录")
def end_sessions(*, act: Act, person: Person, session: Session | None = None) -> int:
    """End one session of a person, or all of them, with their next request; returns how many."""
    ended = end_sessions_of(act, person, only=session)
    act.record("person", str(person.id), {"sessions": ended})
    return ended


@action("people.end_own_sessions", title="结束本人的登录")
def end_own_sessions(*, act: Act, person: Person, session: Session | None = None, keep: str = "") -> int:
    """End one of one's own sessions, or all but `keep` (a session key); returns how many."""
    ended = end_sessions_of(act, person, only=session, but=keep)
    act.record("person", str(person.id), {"sessions": ended})
    return ended


def no_session() -> NoReturn:
    raise NO_SESSION()


@action("people.seed_organization", title="登记机构")
def seed_organization(*, act: Act, id: str, declared: DeclaredOrganization) -> Organization:
    """Create an organization of the place's folder, whose parent is there already."""
    found = Organization.objects.create(
        id=id, title=declared.title, fills=declared.fills, parent_id=declared.parent, division=declared.division or ""
    )
    act.record("organization", id, {"fills": declared.fills, "parent": declared.parent, "division": found.division})
    return found


@action("people.first_administrator", title="建立首位系统管理员")
def first_administrator(*, act: Act, username: str = "admin") -> str:
    """The first administrator of an instance; returns the one-time secret, which is shown once and must be changed at the first sign-in."""
    if RoleHolding.objects.filter(role=ADMINISTRATOR, person__synthetic=False).exists():
        raise ADMINISTRATOR_EXISTS()
    secret = one_time_secret()
    person = create_person(act=act, username=username, name="系统管理员", password=secret)
    RoleHolding.objects.create(person=person, role=ADMINISTRATOR)
    act.record("person", str(person.id), {"role": ADMINISTRATOR})
    return secret


@action("people.appoint", title="任命安全管理员和审计管理员", fresh=True)
def appoint(*, act: Act, person: Person, role: str) -> None:
    """The first administrator's extra power: to appoint each of the other two officers once. From then on the security administrator gives roles."""
    if role not in OFFICERS or role == ADMINISTRATOR:
        raise NOT_AN_OFFICE()
    if appointed(role) and act.actor.kind != "system":
        raise APPOINTED(role=in_force().get(Role, role).title)
    _hold(act, person, role)


def appointed(role: str) -> bool:
    """Whether a real person was ever given this office: read from the evidence ledger, which cannot be undone."""
    from haitang.support.security.evidence.models import EvidenceRecord

    if RoleHolding.objects.filter(role=role, person__synthetic=False).exists():
        return True
    return EvidenceRecord.objects.filter(action="people.appoint", facts__role=role).exists()


@action("people.sign_in_failed", title="登录失败")
def _note_failure(*, act: Act, person: Person | None, username: str, reason: str) -> None:
    subject = str(person.id) if person else "unknown"
    act.record("person", subject, {"username": Secret(username), "reason": reason})


def try_sign_in(*, act: Act, username: str, password: str, address: str = "", browser: str = "") -> tuple[Person | None, str]:
    """Check name and password: (person, "") or (None, reason: unknown, inactive, locked, wrong). A failure is kept, so it must not be raised inside.

    `browser`: the mark of a browser that this account has signed in from before. What was counted stays counted until the session opens (`sessions.enter`): a
    second factor may be asked first, and a known password must not clear the count of wrong codes.
    """
    person = Person.objects.select_for_update().filter(username=username).first()
    counted = throttle.keys(account=username, address=address, browser=browser)
    reason = "locked" if throttle.blocked_until(counted, act.at) else _refusal(person, password)
    if person is not None and not reason:
        return person, ""
    if reason in ("wrong", "unknown"):
        throttle.failed(counted, policy_for(person.kind if person else STAFF), act.at)
    _note_failure(act=act, person=person, username=username, reason=reason)
    return None, reason


def _refusal(person: Person | None, password: str) -> str:
    if person is None:
        make_password(password)  # takes as long as a real check, so that the time tells nothing about who exists
        return "unknown"
    if not matches(password, person.password):
        return "wrong"
    return "" if person.is_active else "inactive"


def count_wrong_proof(*, act: Act, person: Person, counted: list[str], reason: str) -> None:
    """A wrong code or password of somebody who is known already counts like a wrong password."""
    throttle.failed(counted, policy_for(person.kind), act.at)
    _note_failure(act=act, person=person, username=person.username, reason=reason)


def blocked(counted: list[str], at: datetime) -> datetime | None:
    """Until when no proof is looked at."""
    return throttle.blocked_until(counted, at)


@action("people.sign_in", title="登录")
def record_sign_in(*, act: Act, person: Person, by: str = "password") -> None:
    """`by`: password, persona in a demonstration, or whatever else proved who it is (`password totp`, `passkey`, `oidc`)."""
    act.record("person", str(person.id), {"by": by})


@action("people.sign_out", title="退出")
def record_sign_out(*, act: Act, person: Person) -> None:
    act.record("person", str(person.id))
