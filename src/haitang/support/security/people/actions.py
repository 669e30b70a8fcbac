"""Writes about people: who exists, what roles they hold, how they sign in."""

from datetime import datetime

from django.contrib.auth.hashers import check_password as matches
from django.contrib.auth.hashers import make_password

from haitang.base.actions import Act, action
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.support.security.evidence.facts import Secret
from haitang.support.security.people.kinds import Organization as DeclaredOrganization
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Organization, Person, RoleHolding
from haitang.support.security.people.passwords import ATTEMPTS, LOCKED_FOR, check_password, one_time_secret

USERNAME_TAKEN = error("people.username_taken", 409, "用户名“{username}”已被使用，请另选一个。")
NO_SUCH_ORGANIZATION = error("people.no_such_organization", 404, "没有机构“{organization}”。")
NO_SUCH_ROLE = error("people.no_such_role", 404, "没有声明角色“{role}”。")
OWN_ROLE = error("people.own_role", 403, "不能给自己授予角色。请由另一位管理员办理。")
ROLES_APART = error("people.roles_apart", 409, "“{role}”和“{held}”不能由同一人担任。请先收回其中一个，或换一人担任。")
WRONG_PASSWORD = error("people.wrong_password", 403, "当前密码不正确。")
SAME_PASSWORD = error("people.same_password", 400, "新密码不能与当前密码相同。")
ADMINISTRATOR_EXISTS = error("people.administrator_exists", 409, "系统管理员已经存在。忘记密码时请运行 haitang people reset 用户名。")

ADMINISTRATOR = "administrator"


@action("people.create", title="新建人员")
def create_person(
    *,
    act: Act,
    username: str,
    name: str,
    organization: str | None = None,
    password: str | None = None,
    kind: str = "staff",
    email: str = "",
    mobile: str = "",
    dingtalk: str = "",
    synthetic: bool = False,
) -> Person:
    """A new person. Without a password they cannot sign in until `set_password`."""
    if Person.objects.filter(username=username).exists():
        raise USERNAME_TAKEN(username=username)
    if organization and not Organization.objects.filter(pk=organization).exists():
        raise NO_SUCH_ORGANIZATION(organization=organization)
    if password is not None:
        check_password(username, password)
    person = Person.objects.create(
        username=username,
        name=name,
        organization_id=organization,
        kind=kind,
        email=email,
        mobile=mobile,
        dingtalk=dingtalk,
        synthetic=synthetic,
        password=make_password(password),
        must_change_password=password is not None and not synthetic,
    )
    facts = {"username": Secret(username), "name": Secret(name), "organization": organization, "kind": kind, "synthetic": synthetic}
    act.record("person", str(person.id), facts)
    return person


@action("people.set_password", title="重置密码")
def set_password(*, act: Act, person: Person, password: str | None = None) -> str:
    """Set someone's password (default: a one-time secret) and return it; they must change it when they next sign in."""
    chosen = password or one_time_secret()
    check_password(person.username, chosen)
    person.password, person.must_change_password = make_password(chosen), True
    person.failed_attempts, person.locked_until = 0, None
    person.save(update_fields=["password", "must_change_password", "failed_attempts", "locked_until"])
    act.record("person", str(person.id))
    return chosen


@action("people.change_password", title="修改密码")
def change_password(*, act: Act, person: Person, current: str, new: str) -> None:
    """One's own password; the current one must be known."""
    if act.actor.ref != f"{person.kind}:{person.id}" or not matches(current, person.password):
        raise WRONG_PASSWORD()
    if current == new:
        raise SAME_PASSWORD()
    check_password(person.username, new)
    person.password, person.must_change_password = make_password(new), False
    person.save(update_fields=["password", "must_change_password"])
    act.record("person", str(person.id))


@action("people.give_role", title="授予角色")
def give_role(*, act: Act, person: Person, role: str) -> None:
    """Let a person hold a declared role: never oneself, and none that must be kept apart from one that they hold."""
    roles = in_force().all(Role)
    if role not in roles:
        raise NO_SUCH_ROLE(role=role)
    if act.actor.ref == f"{person.kind}:{person.id}":
        raise OWN_ROLE()
    for held in sorted({holding.role for holding in person.holdings.all()} & set(roles)):
        if held in roles[role].apart or role in roles[held].apart:
            raise ROLES_APART(role=roles[role].title, held=roles[held].title)
    RoleHolding.objects.get_or_create(person=person, role=role)
    act.record("person", str(person.id), {"role": role})


@action("people.take_role", title="收回角色")
def take_role(*, act: Act, person: Person, role: str) -> None:
    """Take a role from a person."""
    RoleHolding.objects.filter(person=person, role=role).delete()
    act.record("person", str(person.id), {"role": role})


@action("people.set_active", title="启用或停用人员")
def set_active(*, act: Act, person: Person, active: bool) -> None:
    """A person who is not active cannot sign in; what they did stays theirs."""
    person.is_active = active
    person.save(update_fields=["is_active"])
    act.record("person", str(person.id), {"active": active})


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


@action("people.sign_in_failed", title="登录失败")
def _note_failure(*, act: Act, person: Person | None, username: str, reason: str) -> None:
    subject = str(person.id) if person else "unknown"
    act.record("person", subject, {"username": Secret(username), "reason": reason})


def try_sign_in(*, act: Act, username: str, password: str) -> tuple[Person | None, str]:
    """Check name and password: (person, "") or (None, reason: unknown, inactive, locked, wrong). A failure is kept, so it must not be raised inside."""
    person = Person.objects.select_for_update().filter(username=username).first()
    reason = _refusal(person, password, act.at)
    if person is not None and not reason:
        Person.objects.filter(pk=person.pk).update(failed_attempts=0, locked_until=None)
        return person, ""
    if person is not None and reason == "wrong":
        _count_failure(person, act.at)
    _note_failure(act=act, person=person, username=username, reason=reason)
    return None, reason


def _refusal(person: Person | None, password: str, at: datetime) -> str:
    if person is None:
        make_password(password)  # takes as long as a real check, so that the time tells nothing about who exists
        return "unknown"
    if person.locked_until and person.locked_until > at:
        return "locked"
    if not matches(password, person.password):
        return "wrong"
    return "" if person.is_active else "inactive"


def _count_failure(person: Person, at: datetime) -> None:
    person.failed_attempts += 1
    if person.failed_attempts >= ATTEMPTS:
        person.failed_attempts, person.locked_until = 0, at + LOCKED_FOR
    person.save(update_fields=["failed_attempts", "locked_until"])


@action("people.sign_in", title="登录")
def record_sign_in(*, act: Act, person: Person, by: str = "password") -> None:
    """`by`: password, or persona in a demonstration."""
    act.record("person", str(person.id), {"by": by})


@action("people.sign_out", title="退出")
def record_sign_out(*, act: Act, person: Person) -> None:
    act.record("person", str(person.id))
