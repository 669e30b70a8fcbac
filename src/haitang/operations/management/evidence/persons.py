"""The search for a person's data that an auditor makes: asked by a form, recorded as an access before it answers, and named by an address without the person."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest

from haitang.base.actions import acting
from haitang.base.shell.context import reader
from haitang.base.text import T
from haitang.support.security.evidence.actions import answer_digest, record_access
from haitang.support.security.evidence.models import Access, EvidenceRecord
from haitang.support.security.evidence.subjects import KINDS, searched

ACCESS = "evidence.access"
PURPOSES = {
    "data_subject_request": T("本人申请查询"),
    "complaint": T("投诉举报核查"),
    "inspection": T("例行检查"),
    "incident": T("安全事件调查"),
}


class PersonSearch:
    """What the form asked: a kind of identifier, its value, a purpose; `problems` by field where something is wanting."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.kind, self.value, self.purpose = (request.POST.get(name, "").strip() for name in ("kind", "value", "purpose"))

    @property
    def problems(self) -> dict[str, str]:
        found = {}
        if self.kind not in KINDS:
            found["kind"] = T("请选择标识的种类。")
        if not self.value or not searched([(self.kind, self.value)]):
            found["value"] = T("请填写要查询的标识。")
        if self.purpose not in PURPOSES:
            found["purpose"] = T("请选择查询的用途，用途会一并留证。")
        return found

    @property
    def entries(self) -> list[int]:
        """The blind entries under which the person may stand."""
        return searched([(self.kind, self.value)])

    @property
    def typed(self) -> dict[str, Any]:
        """For the form that is shown again."""
        return {"problems": self.problems, "kind": self.kind, "value": self.value, "purpose": self.purpose}

    def recorded(self, count: int, *, fields: str, way: str) -> str:
        """Enter the search into the ledger; gives the ref by which its address names it."""
        with acting(reader(self.request)) as act:
            return record_access(
                act=act, resource="evidence", fields=[fields], rows=count, answer=answer_digest(str(count).encode()), purpose=self.purpose,
                way=way, subjects=[(self.kind, self.value)], by_every_suite=True,
            )  # fmt: skip


def named_search(request: HttpRequest) -> Access | None:
    """The search that the address names, when this reader made it."""
    try:
        ref = UUID(request.GET.get("search", ""))
    except ValueError:
        return None
    own = EvidenceRecord.objects.filter(ref=ref, action=ACCESS, subject_id="evidence", actor=reader(request).ref).exists()
    return Access.objects.filter(ref=ref).first() if own else None


def form(**more: Any) -> dict[str, Any]:
    """What the form of a search needs on a page."""
    return {"kinds": KINDS, "purposes": PURPOSES, **more}
