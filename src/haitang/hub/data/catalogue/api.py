"""Rows of a resource as JSON, masked and filtered for the reader inside the query."""

import json

from django.http import HttpRequest, HttpResponse
from ninja import Router

from haitang.base.declarations import in_force
from haitang.hub.data.catalogue import reads
from haitang.hub.data.catalogue.kinds import Resource
from haitang.support.security.people.identity import actor, signed_in

router = Router(tags=["catalogue"], auth=signed_in)
OURS = ("sort", "page", "size", "purpose")


@router.get("/resources/{id}/rows", summary="数据资源的记录")
def get_rows(request: HttpRequest, id: str, sort: str = "", page: int = 1, size: int = 100, purpose: str = "") -> HttpResponse:
    """`column=value`, `column.from=value` and `column.to=value` filter (both ends belong to it); `sort=-column`.

    `purpose`: why the data are read, such as `case:<id>`; policies may ask for it before they show a sensitive field, and the evidence keeps it.
    """
    given = {name: str(value) for name, value in request.GET.items() if name not in OURS}
    asked = reads.Asked(
        equal={name: value for name, value in given.items() if "." not in name},
        least={name.removesuffix(".from"): value for name, value in given.items() if name.endswith(".from")},
        most={name.removesuffix(".to"): value for name, value in given.items() if name.endswith(".to")},
        sort=sort, page=page, size=size,
    )  # fmt: skip
    resource = in_force().get(Resource, id)
    found = reads.read(actor(request), resource, asked, way="GET /api/resources/{id}/rows", purpose=purpose[:100])
    head = {
        "total": found.total,
        "provisional": resource.provisional,
        "page": page,
        "size": size,
        "masked": found.masked,
        "evidence": found.evidence,
    }
    content = json.dumps(head, ensure_ascii=False)[:-1].encode() + b', "rows": ' + found.encoded + b"}"
    return HttpResponse(content, content_type="application/json; charset=utf-8")
