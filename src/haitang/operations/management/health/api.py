"""The health of devices as JSON."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from haitang.base.actions import require
from haitang.operations.management.health.queries import overview
from haitang.support.infrastructure.things.queries import READ
from haitang.support.security.people.identity import actor, signed_in

router = Router(tags=["things"], auth=signed_in)


@router.get("/things/health", summary="设备运行状况")
def get_health(request: HttpRequest) -> dict[str, Any]:
    """Of the things that the caller may read, by type and by organization. Share: percent of the expected values of the last 24 whole hours."""
    who = actor(request)
    require(who, READ, who)
    found = overview(who)
    return {
        "at": found.at, "window": {"start": found.window.start, "end": found.window.end}, "whole": found.whole.as_json(),
        "kinds": [each.as_json() for each in found.kinds], "organizations": [each.as_json() for each in found.organizations],
    }  # fmt: skip
