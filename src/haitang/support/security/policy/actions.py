"""Writes about changes of policy: the security administrator's consent, the second of two keys."""

from haitang.base import ports
from haitang.base.actions import Act, action
from haitang.base.declarations.actions import ALREADY_DECIDED, consent_to_edit, refuse_edit, refuse_objections
from haitang.base.declarations.changes import changes
from haitang.base.declarations.models import Admission, Edit, Proposal
from haitang.base.declarations.release import current_admission, load_release
from haitang.base.errors import error
from haitang.support.security.people.models import Person
from haitang.support.security.people.officers import SECURITY_ADMINISTRATOR, one_human

OVERTAKEN = error("policy.overtaken", 409, "提交之后生效的版本已经换过，不能再按当时的比较批准。请系统管理员重新运行 haitang apply。")
IN_PERSON = error("policy.in_person", 403, "权限变更须由安全管理员本人批准，不能由他人代办。")
OWN_CHANGE = error("policy.own_change", 403, "提出或批准过这项变更的人不能再作安全审批。请由另一位安全管理员办理。")
NOT_YET = error("policy.not_yet", 409, "这项调整还没有经审批人批准，请等其批准后再办理。")
APPROVE = "policy.approve_change"


@action(APPROVE, title="批准权限变更", fresh=True)
def decide_release(*, act: Act, proposal: Proposal, approve: bool, note: str = "") -> Proposal:
    """Consent to a release that waits, and put it in force exactly as it was kept; or refuse it."""
    _in_person(act, proposal.proposed_by)
    found = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if found.status != Proposal.Status.PROPOSED:
        raise ALREADY_DECIDED(status=found.get_status_display())
    found.status = Proposal.Status.APPROVED if approve else Proposal.Status.REJECTED
    found.decided_by, found.decided_at, found.note = act.actor.ref, act.at, note.strip()
    found.save(update_fields=["status", "decided_by", "decided_at", "note"])
    facts = {"replaces": found.replaces, "proposal": str(found.id), "proposed_by": found.proposed_by, "approved": approve}
    evidence = act.record("release", found.release_id, facts)
    if approve:
        _admit(act, found, evidence)
    return found


def _admit(act: Act, proposal: Proposal, evidence: str) -> None:
    now = current_admission()
    if now is None or now.release_id != proposal.replaces:
        raise OVERTAKEN()
    before, after = load_release(now.release), load_release(proposal.release)
    refuse_objections(before, after)
    told = [str(change) for change in changes(before, after)]
    Admission.objects.create(release=proposal.release, admitted_at=act.at, by=proposal.proposed_by, evidence=evidence, changes=told)
    ports.seeding().seed()


@action(APPROVE, title="批准权限变更", fresh=True)
def decide_guarded_edit(*, act: Act, edit: Edit, approve: bool, note: str = "") -> Edit:
    """Consent to an edit that was approved already, or refuse it."""
    _in_person(act, edit.proposed_by, edit.decided_by)
    if not approve:
        return refuse_edit(act, edit, note)
    if not edit.decided_by:
        raise NOT_YET()
    return consent_to_edit(act, edit)


def _in_person(act: Act, *before: str) -> None:
    """A human being in the office, acting for nobody, who had no part in it so far."""
    person = Person.objects.filter(pk=act.actor.id).first() if act.actor.kind == "staff" else None
    if person is None or act.actor.on_behalf_of or SECURITY_ADMINISTRATOR not in act.actor.roles:
        raise IN_PERSON()
    if any(one_human(person, ref) for ref in before if ref):
        raise OWN_CHANGE()
