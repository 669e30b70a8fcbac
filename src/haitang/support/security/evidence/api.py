"""The ledger as JSON. Roots and keys are public, so that anyone can hold us to them; records need `evidence.read`."""

import json
from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router

from haitang.base import clock
from haitang.base.actions import permission, require
from haitang.support.security.evidence import queries
from haitang.support.security.evidence.daily import day_json, node
from haitang.support.security.evidence.downstream import BAD_ROOT, hand_in
from haitang.support.security.evidence.keyring import compromise_json, key_json, keys
from haitang.support.security.evidence.ledger import body
from haitang.support.security.evidence.models import DayRoot, EvidenceRecord, KeyCompromise
from haitang.support.security.evidence.sealing import as_json
from haitang.support.security.people.identity import actor, signed_in

router = Router(tags=["evidence"], auth=signed_in)
LARGEST = 1_000_000
READ = permission("evidence.read", "查看证据")


@router.get("/evidence/roots", summary="每日根（公开）", auth=None)
def get_roots(request: HttpRequest, days: int = 30, until: date | None = None) -> dict[str, Any]:
    """The root of each civil day in China, the newest seal, and the public keys."""
    newest = queries.head()
    today = clock.now().astimezone(clock.CHINA).date()
    found = queries.daily_roots(min(until or today, today), max(1, min(days, 366)))
    return {
        "keys": [key_json(key) for key in keys()],
        "compromises": [compromise_json(found) for found in KeyCompromise.objects.order_by("id")],
        "head": as_json(newest) if newest else None,
        "days": [{**day, "final": day["date"] < today.isoformat()} for day in found],
    }


@router.get("/evidence/days", summary="每日根及签名（公开）", auth=None)
def get_days(request: HttpRequest, limit: int = 30, before: date | None = None) -> dict[str, Any]:
    """Finished days, newest first, each signed and time-stamped where a service is set, with the receipt of the node above; and the keys."""
    found = DayRoot.objects.select_related("upstream").order_by("-date")
    if before is not None:
        found = found.filter(date__lt=before)
    days = [
        {**day_json(day), "upstream": day.upstream.receipt if hasattr(day, "upstream") else None}
        for day in found[: max(1, min(limit, 366))]
    ]
    return {"node": node(), "keys": [key_json(key) for key in keys()], "days": days}


@router.post("/evidence/downstream", summary="接收下级节点的每日根（公开，凭签名）", auth=None)
def post_downstream(request: HttpRequest) -> HttpResponse:
    """A node below hands in `{day, keys}`, signed; the answer is this node's signed receipt."""
    if len(request.body) > LARGEST:
        raise BAD_ROOT()
    try:
        told = json.loads(request.body)
    except (ValueError, RecursionError):
        raise BAD_ROOT() from None
    return JsonResponse(hand_in(told))


@router.get("/evidence/seals", summary="封存（公开）", auth=None)
def get_seals(request: HttpRequest, before: int | None = None, limit: int = 50) -> list[dict[str, Any]]:
    found = queries.seals()
    if before is not None:
        found = found.filter(number__lt=before)
    return [as_json(seal) for seal in found[: max(1, min(limit, 500))]]


@router.get("/evidence/records", summary="证据记录")
def get_records(
    request: HttpRequest, subject: str | None = None, by: str | None = None, before: int | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Newest first; `subject` reads `case:<id>`, `by` an actor such as `staff:<id>`; `before` continues after the last `id` of a page."""
    require(actor(request), READ)
    kind, _, id = (subject or "").partition(":")
    found = queries.records(kind, id, by)
    if before is not None:
        found = found.filter(id__lt=before)
    return [record_json(record) for record in found[: max(1, min(limit, 500))]]


@router.get("/evidence/records/{ref}/receipt", summary="记录的收据")
def get_receipt(request: HttpRequest, ref: UUID) -> HttpResponse:
    """An evidence file with the proof of one record."""
    from io import BytesIO

    from haitang.support.security.evidence.export import receipt

    require(actor(request), READ)
    receipt(out := BytesIO(), str(ref))
    answer = HttpResponse(out.getvalue(), content_type="application/jsonl")
    answer["Content-Disposition"] = f'attachment; filename="receipt-{ref}.jsonl"'
    return answer


def record_json(record: EvidenceRecord) -> dict[str, Any]:
    """A record with its place in the ledger."""
    return {"id": record.id, **body(record), "digest": record.digest, "seal": record.seal_id, "index": record.leaf_index}
