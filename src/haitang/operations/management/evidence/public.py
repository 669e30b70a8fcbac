"""What everybody may see, signed in or not: the daily roots, and whether a receipt holds."""

import io
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods

from haitang.base.shell.views import show
from haitang.base.text import T
from haitang.support.security.evidence.daily import node
from haitang.support.security.evidence.keyring import keys
from haitang.support.security.evidence.models import DayRoot, DownstreamNode, EvidenceRecord, KeyCompromise, Seal
from haitang.support.security.evidence.receipts import check_text
from haitang.support.security.evidence.verify import verify

LARGEST = 2_000_000
FAULTS = {
    "unreadable": T("这不是一张凭据，或凭据被改动、没有扫描完整。"),
    "unknown_key": T("签署它的密钥不属于本节点。"),
    "key_compromised": T("签署它的密钥在当时已经泄露，签名不再可信。"),
    "signature": T("签名不成立：凭据被改动，或不是由本节点签发。"),
}
LEDGER = {
    "same": T("与本节点账本中的记录一致。"),
    "archived": T("记录所在的封存与本节点一致，记录已转入归档。"),
    "other": T("本节点账本中同一序号的封存与凭据不同。请保留凭据并联系审计人员。"),
    "unknown": T("本节点账本中没有这一封存。"),
}


@require_GET
def roots(request: HttpRequest) -> HttpResponse:
    """The roots of finished days, with key, time stamp and receipt of the node above."""
    days = DayRoot.objects.select_related("upstream").order_by("-date")[:62]
    context = {
        "days": [{"day": day, "stamped": _stamped(day), "upstream": hasattr(day, "upstream")} for day in days],
        "keys": keys(), "compromised": {found.key_id: found.since for found in KeyCompromise.objects.order_by("-since")},
        "node": node(), "below": [(each, _refused(each.node)) for each in DownstreamNode.objects.order_by("node")],
    }  # fmt: skip
    return show(request, "evidence/roots.html", context)


def _refused(node: str) -> int:
    """How often a node below told another story of a day that it had handed in."""
    return EvidenceRecord.objects.filter(action="evidence.refuse_root", subject_kind="node_day", subject_id__startswith=f"{node}:").count()


def _stamped(day: DayRoot) -> bool:
    return Seal.objects.filter(number=day.last_seal or 0, timestamp_token__isnull=False).exists()


@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, text: str = "") -> HttpResponse:
    """Whether a receipt holds: scanned (in the address), typed, or as a file. Nothing that is handed in is kept."""
    given = text or request.POST.get("receipt", "").strip()
    file = request.FILES.get("file")
    told: dict[str, Any] = {"given": given}
    if file is not None:
        told |= _of_file(file.read(LARGEST + 1))
    elif given:
        told |= _of_text(given)
    return show(request, "evidence/check.html", told, status=200)


def _of_text(given: str) -> dict[str, Any]:
    said = check_text(given[:10_000])
    found = said["receipt"]
    good = said["fault"] is None and said["ledger"] in ("same", "archived")
    return {
        "checked": True, "good": good, "why": FAULTS.get(said["fault"] or "") or LEDGER[said["ledger"]], "receipt": found,
    }  # fmt: skip


def _of_file(content: bytes) -> dict[str, Any]:
    """A receipt or evidence file as downloaded; a text file with a compact receipt too."""
    if len(content) > LARGEST:
        return {"checked": True, "good": False, "why": T("文件超过 2 MB。较大的证据文件请用 haitang evidence verify 离线核验。")}
    if not content.startswith(b"{"):
        return _of_text(content.decode("utf-8", "replace"))
    every = keys()
    report = verify(io.BytesIO(content), bytes.fromhex(every[0].public) if every else None)
    why = T("文件中的每条记录都属于本节点签名的封存。") if report.ok else T("文件与签名不符，内容被改动或不是由本节点签发。")
    return {"checked": True, "good": report.ok and bool(every), "why": why, "report": report, "findings": report.findings[:10]}
