"""The station at which somebody is refused: by which policy, told to whom, kept where."""

from typing import Any

from haitang.server.tour import personas
from haitang.server.tour.context import Context
from haitang.server.tour.report import NotHeld
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.models import Organization


def policy_denied(context: Context) -> dict[str, Any]:
    """The head of another department asks for the case: refused, told why without a word of the case, and in evidence."""
    holder = context.case["organization"]
    other = Organization.objects.filter(active=True).exclude(pk=holder).order_by("pk")[0]
    head = personas.make(context.instance.url, "department_head", other.pk, "another")
    status, answer = head.status_of(f"{context.case_path}/remarks", {"text": "请把案件给我看看。（示例）"})
    if status != 403 or not answer.get("why"):
        raise NotHeld("another department was not refused with a reference", status=status, answer=answer)
    told = head.get(f"/api{answer['why']}")
    if holder in str(told) or context.case["title"] in str(told):
        raise NotHeld("the explanation tells what the asker may not know", told=told)
    record = EvidenceRecord.objects.filter(ref=told["evidence"], action="evidence.denied").first() if told["evidence"] else None
    if record is None:
        raise NotHeld("the refusal is not in evidence", told=told)
    return {
        "permission": told["permission"],
        "why": told["reason"],
        "reference": told["refusal"],
        "needs": told["needed"],
        "evidence": str(record.ref),
    }
