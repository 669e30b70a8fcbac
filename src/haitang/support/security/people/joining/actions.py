"""Writes: invite and accept, ask for roles and decide, import staff."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password

from haitang.base.actions import Act, action
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.support.security.cryptography.small_secrets import keyed_digest
from haitang.support.security.people import actions as people
from haitang.support.security.people.ending import end_sessions_of
from haitang.support.security.people.factors.enrolment import refuse_by_password_alone
from haitang.support.security.people.factors.queries import has_factor
from haitang.support.security.people.handing_over import actions as moving
from haitang.support.security.people.joining.models import Invitation, RoleRequest, StaffImport
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import STAFF, Person
from haitang.support.security.people.officers import is_officer, one_human
from haitang.support.security.people.passwords import check_password

NO_INVITATION = error("people.no_invitation", 404, "这个邀请链接无效、已使用或已过期。请联系邀请您的人重新发送。")
OWN_REQUEST = error("people.own_request", 403, "不能审批自己提出的或为自己申请的角色。请由另一位安全管理员办理。")
DECIDED = error("people.request_decided", 409, "这项角色申请已经办结。")
APPLIED = error("people.import_applied", 409, "这份名册已经导入过。请重新上传。")
IMPORT_HAS_ERRORS = error("people.import_has_errors", 409, "名册中有 {n} 行有误，什么都没有导入。请更正后重新上传。")

JOINED = error("people.joined_already", 409, "“{name}”已经登录过，邀请只用于首次加入。忘记密码请用“重置密码”。")

LASTS = timedelta(days=7)
_PURPOSE = "invitation"


@action("people.invite", title="邀请人员")
def invite(*, act: Act, person: Person) -> str:
    """A one-time token for a person who never signed in to set their own password; earlier ones count no more. It is returned once. Raises JOINED."""
    refuse_by_password_alone(act, person)
    if person.last_login is not None:
        raise JOINED(name=person.name)
    Invitation.objects.filter(person=person, used_at=None).delete()
    token = secrets.token_urlsafe(32)
    Invitation.objects.create(
        person=person, digest=keyed_digest(token, _PURPOSE), made_at=act.at, made_by=act.actor.ref, expires_at=act.at + LASTS
    )
    act.record("person", str(person.id))
    return token


def invited(token: str, at: datetime) -> Invitation:
    """The invitation that a link names; raises NO_INVITATION."""
    found = (
        Invitation.objects.select_related("person").filter(digest=keyed_digest(token, _PURPOSE), used_at=None, expires_at__gt=at).first()
    )
    if found is None or not found.person.is_active:
        raise NO_INVITATION()
    return found


@action("people.accept_invitation", title="接受邀请")
def accept(*, act: Act, token: str, password: str) -> Person:
    """Set the password of who was invited; the link is used up."""
    found = invited(token, act.at)
    person = found.person
    if person.last_login and is_officer(person) and not has_factor(person):
        raise NO_INVITATION()  # a link kept from before the office must not be all it takes to be this officer
    check_password(person, password)
    if not Invitation.objects.filter(pk=found.pk, used_at=None).update(used_at=act.at):
        raise NO_INVITATION()
    person.password, person.must_change_password, person.password_set_at = make_password(password), False, act.at
    person.save(update_fields=["password", "must_change_password", "password_set_at"])
    end_sessions_of(act, person)
    act.record("person", str(person.id))
    return person


@action("people.ask_role", title="申请角色")
def ask_role(*, act: Act, person: Person, role: str) -> RoleRequest:
    """Ask the security administrator to give a role."""
    if role not in in_force().all(Role):
        raise people.NO_SUCH_ROLE(role=role)
    if person.kind != STAFF:
        raise people.STAFF_ONLY(name=person.name)
    found, _ = RoleRequest.objects.get_or_create(
        person=person, role=role, decided_at=None, defaults={"asked_by": act.actor.ref, "asked_at": act.at}
    )
    act.record("person", str(person.id), {"role": role})
    return found


@action("people.decide_role", title="审批角色申请", fresh=True)
def decide_role(*, act: Act, request: RoleRequest, approve: bool) -> None:
    """Give the role that was asked for, or refuse: never one's own request, nor one for oneself."""
    if any(one_human(request.person, ref) for ref in act.actor.refs) or request.asked_by in act.actor.refs:
        raise OWN_REQUEST()
    if not RoleRequest.objects.filter(pk=request.pk, decided_at=None).update(decided_at=act.at, decided_by=act.actor.ref, approved=approve):
        raise DECIDED()
    if approve:
        people.give_role(act=act, person=request.person, role=request.role)
    act.record("person", str(request.person_id), {"role": request.role, "approved": approve})


@action("people.import", title="导入人员名册")
def read_roster(*, act: Act, name: str, digest: str, rows: list[dict[str, str]]) -> StaffImport:
    """Keep what a workbook says until somebody has looked at it."""
    found = StaffImport.objects.create(name=name[-200:], digest=digest, rows=rows, read_by=act.actor.ref, read_at=act.at)
    act.record("roster", str(found.pk), {"rows": len(rows), "digest": digest})
    return found


@action("people.import", title="导入人员名册")
def apply_roster(*, act: Act, roster: StaffImport) -> list[tuple[Person, str]]:
    """Do everything that the roster says, or nothing. Returns (person, invitation token) of each new one. Raises IMPORT_HAS_ERRORS, APPLIED."""
    from haitang.support.security.people.joining.roster import plan

    held = StaffImport.objects.select_for_update().get(pk=roster.pk)
    if held.applied_at is not None:
        raise APPLIED()
    lines = plan(held.rows)
    wrong = sum(1 for line in lines if line.errors)
    if wrong:
        raise IMPORT_HAS_ERRORS(n=wrong)
    invited_people = [made for line in lines if (made := _apply(act, line)) is not None]
    held.counts = {what: sum(line.does == what for line in lines) for what in ("create", "update", "leave", "same")}
    held.applied_at = act.at
    held.save(update_fields=["counts", "applied_at"])
    act.record("roster", str(held.pk), {**held.counts, "digest": held.digest})
    return invited_people


def _apply(act: Act, line: Any) -> tuple[Person, str] | None:
    """One line of the roster."""
    told = line.told
    if line.does == "create":
        person = people.create_person(act=act, **{name: told[name] for name in ("username", "name", "email", "mobile", "staff_number")},
                                      organization=told["organization"] or None)  # fmt: skip
        for role in line.roles:
            ask_role(act=act, person=person, role=role)
        return person, invite(act=act, person=person)
    if line.does == "update":
        moving.change_person(act=act, person=line.person, **{n: told[n] for n in ("name", "email", "mobile")})
        if (told["organization"] or None) != line.person.organization_id:
            moving.transfer(act=act, person=line.person, organization=told["organization"])
        for role in line.roles:
            ask_role(act=act, person=line.person, role=role)
    if line.does == "leave":
        moving.leave(act=act, person=line.person)
    return None
