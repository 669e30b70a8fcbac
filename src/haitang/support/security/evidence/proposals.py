"""Changes of the signing keys by two people: one officer proposes, a security administrator who is somebody else decides.

The command of the machine's operator does the same alone, for when nobody can sign in; evidence names who it was in each case.
"""

from datetime import datetime

from django.db import transaction

from haitang.base.actions import Act, action, permission, system
from haitang.base.errors import error
from haitang.support.security.evidence.keyring import IN_FUTURE, NO_SUCH_KEY, STARTS_EARLY, mark_compromised, rotate_key
from haitang.support.security.evidence.models import KeyProposal, SigningKey

permission("keys.read", "查看签名密钥")
ROTATE, COMPROMISE = "rotate", "compromise"
WAITS = error("keys.waits", 409, "已有一项密钥更换申请待审批，请先办结。")
OWN_PROPOSAL = error("keys.own_proposal", 403, "不能审批自己提出的密钥申请。请由另一位安全管理员办理。")
DECIDED = error("keys.decided", 409, "这项密钥申请已经办结。")
NO_REASON = error("keys.no_reason", 422, "请选择原因。")


@action("keys.propose", title="申请更换签名密钥或声明泄露", fresh=True)
def propose(*, act: Act, what: str, reason: str, key: str = "", begins: datetime | None = None) -> KeyProposal:
    """Ask for a new key (`rotate`, from `begins` on, else at once) or for the mark of a compromised one (since `begins`).

    `reason` is a word for programs without personal data. Raises NO_SUCH_KEY, STARTS_EARLY, IN_FUTURE, NO_REASON, WAITS.
    """
    if not reason:
        raise NO_REASON()
    found = SigningKey.objects.filter(pk=key).first() if what == COMPROMISE else None
    if what == COMPROMISE and found is None:
        raise NO_SUCH_KEY(key=key)
    if what == COMPROMISE and (begins is None or begins > act.at):
        raise IN_FUTURE(since=begins.isoformat() if begins else "—")
    if what == ROTATE and begins is not None and begins < act.at:
        raise STARTS_EARLY(starts_at=begins.isoformat())
    if KeyProposal.objects.filter(what=what, key=found, decided_at=None).exists():
        raise WAITS()
    made = KeyProposal.objects.create(what=what, key=found, begins=begins, reason=reason, proposed_by=act.actor.ref, proposed_at=act.at)
    act.record("signing_key", found.id if found else "new", {"what": what, "proposal": str(made.pk), "reason": reason, "begins": begins})
    return made


@action("keys.decide", title="审批签名密钥申请", fresh=True)
def decide(*, act: Act, proposal: KeyProposal, approve: bool) -> KeyProposal:
    """Carry out what somebody else proposed, or refuse it. Raises OWN_PROPOSAL, DECIDED.

    A start that has passed meanwhile means now.
    """
    if _proposed(act, proposal):
        raise OWN_PROPOSAL()
    if not KeyProposal.objects.filter(pk=proposal.pk, decided_at=None).update(
        decided_at=act.at, decided_by=act.actor.ref, approved=approve
    ):
        raise DECIDED()
    made = _carry_out(act, proposal) if approve else None
    KeyProposal.objects.filter(pk=proposal.pk).update(made=made)
    told = {"what": proposal.what, "proposal": str(proposal.pk), "approved": approve, "proposed_by": proposal.proposed_by}
    act.record("signing_key", proposal.key_id or (made.id if made else "new"), told)
    proposal.refresh_from_db()
    return proposal


def _proposed(act: Act, proposal: KeyProposal) -> bool:
    """Whether the one who decides is the one who proposed, by this account or another of the same human being."""
    from haitang.support.security.people.models import Person
    from haitang.support.security.people.officers import one_human

    for ref in act.actor.refs:
        own = Person.objects.filter(pk=ref.partition(":")[2]).first() if ref.partition(":")[0] != "system" else None
        if ref == proposal.proposed_by or (own and one_human(own, proposal.proposed_by)):
            return True
    return False


def _carry_out(act: Act, proposal: KeyProposal) -> SigningKey | None:
    """As the process `keys`, in the transaction of the decision: what it may do is written down, and both records stand together."""
    by = Act(actor=system("keys"), at=act.at, release=act.release)
    with transaction.atomic():
        if proposal.what == ROTATE:
            begins = proposal.begins if proposal.begins and proposal.begins > act.at else None
            return rotate_key(act=by, starts_at=begins)
        assert proposal.key_id
        assert proposal.begins
        found = mark_compromised(act=by, key=proposal.key_id, since=proposal.begins, reason=proposal.reason)
        return SigningKey.objects.get(pk=found.by_id)
