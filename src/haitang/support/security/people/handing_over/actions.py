"""Writes: change of data, transfer to another organization, leave, delegation."""

from datetime import datetime, timedelta

from django.db.models import Q

from haitang.base import ports
from haitang.base.actions import Act, action
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.support.security.evidence.facts import Secret
from haitang.support.security.people.actions import NO_SUCH_ORGANIZATION, STAFF_ONLY
from haitang.support.security.people.ending import end_sessions_of, revoke_tokens_of
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import STAFF, Delegation, Organization, Person, RoleHolding
from haitang.support.security.people.officers import OFFICERS, ROLES_APART, clash, is_officer, one_human, roles_of_human
from haitang.support.security.people.told import refuse_wrong

LEAVES_WORK = error("people.leaves_work", 409, "{name} 还有 {n} 件未办结的事项，请指定同一机构的接手人。")
TAKER_ELSEWHERE = error("people.taker_elsewhere", 409, "接手人须是“{organization}”在用的另一名工作人员。")
OWN_DELEGATION = error("people.own_delegation", 409, "不能委托给自己，也不能委托给自己的另一个账号。")
ONLY_OWN = error("people.only_own_delegation", 403, "只能委托自己的职责。为他人安排代办请由安全管理员办理。")
NOTHING_TO_DELEGATE = error("people.nothing_to_delegate", 409, "{name} 没有可以委托的角色。三员的职责不得委托，须由安全管理员另行授予。")
BAD_DATES = error("people.bad_delegation_dates", 400, "结束时间须晚于开始时间和现在，且代办最长一年。")
ENDED = error("people.delegation_ended", 409, "这项代办已经结束。")
OFFICERS_REACH = error(
    "people.officers_reach",
    409,
    "“{name}”担任三员，邮箱和手机号是辨认本人的依据，不能由他人修改。请由本人在“我的账号”修改。",
)
TIES = error(
    "people.ties_accounts",
    409,
    "“{value}”也是另一个账号的联系方式，由此辨认同一人，不能由本人移除。请另一位系统管理员核对后修改另一个账号。",
)
ONLY_OWN_DATA = error("people.only_own_data", 403, "只能修改本人的联系方式。")
OWN_LEAVE = error("people.own_leave", 403, "不能为自己办理调动或离任。请由另一位系统管理员办理。")

LONGEST = timedelta(days=366)


@action("people.change", title="修改人员资料", fresh=True)
def change_person(*, act: Act, person: Person, name: str, email: str, mobile: str) -> None:
    """Name and ways to reach somebody. An officer's ways are not another's to change: by them accounts of one human being are known to be (`one_human`)."""
    refuse_wrong(name=name, email=email, mobile=mobile)
    changed = [field for field, value in (("name", name), ("email", email), ("mobile", mobile)) if getattr(person, field) != value]
    if {"email", "mobile"} & set(changed) and is_officer(person) and act.actor.kind != "system":
        raise OFFICERS_REACH(name=person.name)
    if any(one_human(person, ref) for ref in act.actor.refs):
        _refuse_untying(person, changed)
    person.name, person.email, person.mobile = name, email, mobile
    person.save(update_fields=["name", "email", "mobile"])
    act.record("person", str(person.id), {"changed": changed, "name": Secret(name)})


@action("people.change_own", title="修改本人联系方式", fresh=True)
def change_own(*, act: Act, person: Person, email: str, mobile: str) -> None:
    """One's own ways to be reached, once one proved who one is."""
    if act.actor.ref != f"{person.kind}:{person.id}" or act.actor.on_behalf_of:
        raise ONLY_OWN_DATA()
    refuse_wrong(name=person.name, email=email, mobile=mobile)
    changed = [field for field, value in (("email", email), ("mobile", mobile)) if getattr(person, field) != value]
    _refuse_untying(person, changed)
    person.email, person.mobile = email, mobile
    person.save(update_fields=["email", "mobile"])
    act.record("person", str(person.id), {"changed": changed})


def _refuse_untying(person: Person, changed: list[str]) -> None:
    """Raise TIES where two accounts would cease to be known as one human being's: whoever keeps duties apart must not be slipped by the one they bind."""
    known = Q(human_id=person.human_id) if person.human_id else Q(pk=person.pk)  # tied together by more than this
    for field in {"email", "mobile"} & set(changed):
        value = getattr(person, field)
        if value and Person.objects.filter(**{field: value}).exclude(pk=person.pk).exclude(known).exists():
            raise TIES(value=value)


@action("people.transfer", title="调动人员")
def transfer(*, act: Act, person: Person, organization: str, to: Person | None = None) -> int:
    """Move somebody to another organization. Their roles end, for they were held in the old one; what they had open goes to `to`. Returns how much."""
    _refuse_oneself(act, person)
    if person.kind != STAFF:
        raise STAFF_ONLY(name=person.name)
    if organization and not Organization.objects.filter(pk=organization, active=True).exists():
        raise NO_SUCH_ORGANIZATION(organization=organization)
    handed = _hand_over(act, person, to)
    roles = _lay_down(act, person)
    before, person.organization_id = person.organization_id, organization or None
    person.save(update_fields=["organization"])
    act.record("person", str(person.id), {"from": before, "to": organization or None, "roles": roles, "handed_over": handed})
    return handed


@action("people.leave", title="办理离任")
def leave(*, act: Act, person: Person, to: Person | None = None) -> int:
    """Somebody leaves the service: signed out, roles and delegations end, what they had open goes to `to`. Their account stays for what it did."""
    _refuse_oneself(act, person)
    handed = _hand_over(act, person, to)
    roles = _lay_down(act, person)
    person.is_active, person.left_at = False, act.at
    person.save(update_fields=["is_active", "left_at"])
    act.record("person", str(person.id), {"roles": roles, "handed_over": handed})
    return handed


def _refuse_oneself(act: Act, person: Person) -> None:
    if any(one_human(person, ref) for ref in act.actor.refs):
        raise OWN_LEAVE()


def _hand_over(act: Act, person: Person, to: Person | None) -> int:
    """Give open work to somebody of the same organization; raises LEAVES_WORK, TAKER_ELSEWHERE."""
    duties = ports.duties()
    waiting = duties.open_of(str(person.pk))
    if not waiting:
        return 0
    if to is None:
        raise LEAVES_WORK(name=person.name, n=waiting)
    if to.pk == person.pk or not to.is_active or to.kind != STAFF or to.organization_id != person.organization_id:
        raise TAKER_ELSEWHERE(organization=person.organization.title if person.organization else "")
    return duties.hand_over(act=act, giver=str(person.pk), taker=str(to.pk))


def _lay_down(act: Act, person: Person) -> list[str]:
    """Roles, delegations, sessions and API tokens end; returns the roles that were held."""
    held = sorted(RoleHolding.objects.filter(person=person).values_list("role", flat=True))
    RoleHolding.objects.filter(person=person).delete()
    for side in ("giver", "taker"):
        Delegation.objects.filter(**{side: person}, ended_at=None).update(ended_at=act.at)
    end_sessions_of(act, person)
    revoke_tokens_of(act, person)
    return held


@action("people.delegate", title="委托代办", fresh=True)
def delegate(*, act: Act, giver: Person, taker: Person, starts: datetime, ends: datetime, reason: str = "") -> Delegation:
    """Let a colleague of the same organization act on one's behalf between two moments, with the roles that one holds now. Raises TAKER_ELSEWHERE."""
    if act.actor.ref != f"{giver.kind}:{giver.id}" or act.actor.on_behalf_of:
        raise ONLY_OWN()
    if taker.organization_id != giver.organization_id:
        raise TAKER_ELSEWHERE(organization=giver.organization.title if giver.organization else "")
    return _delegate(act, giver, taker, starts, ends, reason)


@action("people.delegate_for", title="为他人安排代办", fresh=True)
def delegate_for(*, act: Act, giver: Person, taker: Person, starts: datetime, ends: datetime, reason: str = "") -> Delegation:
    """The security administrator arranges it for somebody who cannot; never to themselves."""
    if any(one_human(taker, ref) for ref in act.actor.refs):
        raise OWN_DELEGATION()
    return _delegate(act, giver, taker, starts, ends, reason)


def _delegate(act: Act, giver: Person, taker: Person, starts: datetime, ends: datetime, reason: str) -> Delegation:
    if not act.at < ends or not starts < ends or ends - starts > LONGEST:
        raise BAD_DATES()
    if one_human(giver, f"{taker.kind}:{taker.id}"):
        raise OWN_DELEGATION()
    if taker.kind != STAFF or not taker.is_active:
        raise STAFF_ONLY(name=taker.name)
    held = set(giver.holdings.values_list("role", flat=True))
    if not held or held & set(OFFICERS):
        raise NOTHING_TO_DELEGATE(name=giver.name)
    if apart := clash(held | roles_of_human(taker)):
        titles = [role.title for id in apart if (role := in_force().all(Role).get(id))]
        raise ROLES_APART(role=titles[0], held=titles[-1])
    found = Delegation.objects.create(
        giver=giver,
        taker=taker,
        roles=sorted(held),
        starts_at=starts,
        ends_at=ends,
        reason=reason[:200],
        made_by=act.actor.ref,
        made_at=act.at,
    )
    act.record("person", str(giver.id), {"taker": str(taker.id), "roles": sorted(held), "starts": starts, "ends": ends})
    return found


@action("people.end_delegation", title="结束代办")
def end_delegation(*, act: Act, delegation: Delegation) -> None:
    """Giver or taker ends it before its time."""
    if act.actor.ref not in (f"staff:{delegation.giver_id}", f"staff:{delegation.taker_id}"):
        raise ONLY_OWN()
    _end(act, delegation)


@action("people.delegate_for", title="为他人安排代办", fresh=True)
def end_delegation_for(*, act: Act, delegation: Delegation) -> None:
    """The security administrator ends it, whoever arranged it."""
    _end(act, delegation)


def _end(act: Act, delegation: Delegation) -> None:
    if not Delegation.objects.filter(pk=delegation.pk, ended_at=None).update(ended_at=act.at):
        raise ENDED()
    act.record("person", str(delegation.giver_id), {"taker": str(delegation.taker_id), "ended": True})


@action("people.act_for", title="以代办身份办理")
def note_acting_for(*, act: Act, delegation: Delegation) -> None:
    """The taker begins to act on behalf of the giver in this session."""
    act.record("person", str(delegation.giver_id), {"taker": str(delegation.taker_id)})
