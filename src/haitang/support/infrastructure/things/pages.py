"""Pages: the registry of things, one thing, and the decision about a provisional one."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from haitang.base import clock
from haitang.base.actions import Actor, acting, may
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError, error
from haitang.base.settings import settings
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import entry
from haitang.base.shell.tables import Empty, Table
from haitang.base.shell.views import page, show
from haitang.base.shell.words import ORIGINS
from haitang.base.text import T, sentence_of, translate
from haitang.support.infrastructure.things import actions, listening, listing
from haitang.support.infrastructure.things.forms import BAD_COORDINATES, degrees, time_of
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import MaintenanceWindow, Thing
from haitang.support.infrastructure.things.queries import READ, get, get_for, groups_of, locations_of, names_of, waiting, windows_of
from haitang.support.security.people.models import Organization
from haitang.support.security.policy.decide import scope
from haitang.support.security.policy.models import Refusal

NO_SUCH_WINDOW = error("things.no_such_window", 404, "没有这次维护登记。")
WINDOWS = 20
# Coordinate system -> its title; the first is what the platform keeps.
SYSTEMS = {
    "cgcs2000": T("CGCS2000（国家大地坐标）"),
    "wgs84": T("WGS-84（GPS）"),
    "gcj02": T("GCJ-02（高德、腾讯地图）"),
    "bd09": T("BD-09（百度地图）"),
}
MAY = ("admit", "refuse", "retire", "set_credential", "set_origin", "plan_maintenance", "end_maintenance", "relocate")


def _waiting(actor: Actor) -> int:
    return waiting().count()


entry("things", title="设备", url="/things", icon="broadcast", group="watch", order=40, permission=READ, badge=_waiting)


NONE_YET = Empty(T("还没有设备"), T("在设备清单中登记，或让设备在调试接入模式下连接，再到此确认。"))


@require_GET
@page(READ, own=True)
def things(request: HttpRequest) -> HttpResponse:
    """The registry, provisional things first; its whole state stands in the address."""
    actor = reader(request)
    table = Table(
        request, "things", rows=listing.rows(actor), columns=listing.columns(), filters=listing.filters(), unfiltered=NONE_YET,
        empty=Empty(T("没有符合条件的设备。"), link="/things", link_title=T("清除筛选")),
    )  # fmt: skip
    whole = scope(actor, READ) == "all"  # who knocks belongs to no organization yet
    run = settings().run
    context = {
        "hj212": listening.hj212(run) if whole else {}, "knocking": listening.strangers(run) if whole else [],
        "may_register": may(actor, "things.register_provisionally"), "devices": in_force().all(Device),
    }  # fmt: skip
    return table.response("things/things.html", context)


@require_POST
@page("things.register_provisionally")
def register(request: HttpRequest) -> HttpResponse:
    """Take in a device that speaks MQTT or HTTP: its credential comes next, a person confirms it once its data are right."""
    told = request.POST
    with acting(reader(request)) as act:
        made = actions.register_provisionally(
            act=act, id=told.get("id", "").strip(), device=told.get("device", ""), title=told.get("title", "").strip()[:200]
        )
    messages.success(request, translate("设备已登记为待确认，请签发接入凭据"))
    return HttpResponseRedirect(f"/things/{made.id}/credentials")


@require_GET
@page(READ, own=True)
def thing(request: HttpRequest, id: str) -> HttpResponse:
    """One thing, with what it observes."""
    return _shown(request, get_for(reader(request), id))


def _shown(
    request: HttpRequest,
    found: Thing,
    *,
    at: str = "maintenance",
    status: int = 200,
    problem: str = "",
    typed: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The page of a thing; `problem` stands at the form `at` (maintenance or location) with what was `typed` there."""
    now, actor = clock.now(), reader(request)
    device = in_force().all(Device).get(found.device)
    organization = Organization.objects.filter(pk=found.organization_id).first()
    local = f"{now.astimezone(clock.CHINA):%Y-%m-%dT%H:%M}"
    locations = locations_of(found)[:WINDOWS]
    context: dict[str, Any] = {
        "thing": found, "device": device, "organization": organization, "devices": in_force().all(Device),
        "organizations": Organization.objects.filter(active=True).order_by("id"),
        "may": {name: may(actor, f"things.{name}", found) for name in MAY},
        "windows": [(window, window.state(now)) for window in windows_of(found)[:WINDOWS]],
        "problem": {at: problem} if problem else {}, "typed": {"starts_at": local, "since": local, "system": "cgcs2000", **(typed or {})},
        "locations": locations, "names": names_of(each.moved_by for each, _ in locations if each.moved_by), "systems": SYSTEMS, "refusals": Refusal.objects.filter(actor=found.owner).order_by("-last_at")[:5], "may_explain": may(actor, "policy.read"), "groups": groups_of(found),
        "origins": {"live": T("实时数据"), **ORIGINS},
    }  # fmt: skip
    context["maintained"] = {found.id} if any(state == "running" for _, state in context["windows"]) else ()
    return show(request, "things/thing.html", context, status=status)


@require_POST
@page("things.admit", own=True)
def admit(request: HttpRequest, id: str) -> HttpResponseRedirect:
    told = request.POST
    with acting(reader(request)) as act:
        actions.admit(
            act=act, thing=get(id), device=told.get("device", ""), title=told.get("title", "").strip(), organization=told.get("organization", ""),
            longitude=degrees(told.get("longitude"), 180), latitude=degrees(told.get("latitude"), 90),
            credential=_credential(request),
        )  # fmt: skip
    return HttpResponseRedirect(f"/things/{id}")


@require_POST
@page("things.refuse", own=True)
def refuse(request: HttpRequest, id: str) -> HttpResponseRedirect:
    with acting(reader(request)) as act:
        actions.refuse(act=act, thing=get(id), reason=request.POST.get("reason", "").strip())
    return HttpResponseRedirect(f"/things/{id}")


@require_POST
@page("things.retire", own=True)
def retire(request: HttpRequest, id: str) -> HttpResponseRedirect:
    with acting(reader(request)) as act:
        actions.retire(act=act, thing=get(id), reason=request.POST.get("reason", "").strip())
    return HttpResponseRedirect(f"/things/{id}")


@require_POST
@page("things.set_credential", own=True)
def set_credential(request: HttpRequest, id: str) -> HttpResponseRedirect:
    """Replace the whole credential. What was saved is never sent to a browser again."""
    with acting(reader(request)) as act:
        actions.set_credential(act=act, thing=get(id), credential=_credential(request))
    messages.success(request, translate("设备凭据已更换"))
    return HttpResponseRedirect(f"/things/{id}")


@require_POST
@page("things.set_origin", own=True)
def set_origin(request: HttpRequest, id: str) -> HttpResponseRedirect:
    with acting(reader(request)) as act:
        actions.set_origin(act=act, thing=get(id), origin=request.POST.get("origin", ""))
    messages.success(request, translate("数据来源已标明"))
    return HttpResponseRedirect(f"/things/{id}")


@require_POST
@page("things.plan_maintenance", own=True)
def plan_maintenance(request: HttpRequest, id: str) -> HttpResponse:
    told, found = request.POST, get(id)
    try:
        with acting(reader(request)) as act:
            actions.plan_maintenance(
                act=act, thing=found, starts_at=time_of(told.get("starts_at", "")), ends_at=time_of(told.get("ends_at", "")),
                reason=told.get("reason", "").strip()[:200],
            )  # fmt: skip
    except HaitangError as refused:
        if refused.status != 400:
            raise
        return _shown(request, found, status=400, problem=sentence_of(refused), typed=told.dict())
    messages.success(request, translate("维护已登记，维护期间不报失联，报警先记录、不立案"))
    return HttpResponseRedirect(f"/things/{id}#maintenance")


@require_POST
@page("things.relocate", own=True)
def relocate(request: HttpRequest, id: str) -> HttpResponse:
    """Note that the thing stands elsewhere; what was typed stays beside what is wrong with it."""
    told, found = request.POST, get(id)
    try:
        longitude, latitude = (degrees(told.get(name), limit) for name, limit in (("longitude", 180), ("latitude", 90)))
        if longitude is None or latitude is None:
            raise BAD_COORDINATES()
        with acting(reader(request)) as act:
            actions.relocate(
                act=act, thing=found, to=actions.Point(longitude, latitude, told.get("system", "cgcs2000")),
                reason=told.get("reason", "").strip()[:200], since=time_of(told["since"]) if told.get("since") else None,
            )  # fmt: skip
    except HaitangError as refused:
        if refused.status != 400:
            raise
        return _shown(request, found, at="location", status=400, problem=sentence_of(refused), typed=told.dict())
    messages.success(request, translate("位置已变更，此前的观测数据仍归原位置"))
    return HttpResponseRedirect(f"/things/{id}#location")


@require_POST
@page("things.end_maintenance", own=True)
def end_maintenance(request: HttpRequest, id: str, window: int) -> HttpResponseRedirect:
    found = MaintenanceWindow.objects.filter(pk=window, thing=get(id)).first()
    if found is None:
        raise NO_SUCH_WINDOW()
    with acting(reader(request)) as act:
        actions.end_maintenance(act=act, window=found)
    messages.success(request, translate("维护已结束"))
    return HttpResponseRedirect(f"/things/{id}#maintenance")


def _credential(request: HttpRequest) -> actions.Credential:
    return actions.Credential(*(request.POST.get(name, "").strip() for name in ("password", "sm4_key", "address")))


urlpatterns = [
    path("things", things),
    path("things/register", register),
    path("things/<str:id>", thing),
    path("things/<str:id>/admit", admit),
    path("things/<str:id>/refuse", refuse),
    path("things/<str:id>/retire", retire),
    path("things/<str:id>/credential", set_credential),
    path("things/<str:id>/origin", set_origin),
    path("things/<str:id>/location", relocate),
    path("things/<str:id>/maintenance", plan_maintenance),
    path("things/<str:id>/maintenance/<int:window>/end", end_maintenance),
]
