"""Pages: the registry of things, one thing, and the decision about a provisional one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from haitang.base import clock
from haitang.base.actions import Actor, acting
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError, error
from haitang.base.ports import policy
from haitang.base.settings import settings
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import entry
from haitang.base.shell.views import page, show
from haitang.base.shell.words import ORIGINS
from haitang.base.text import T, sentence_of, translate
from haitang.support.infrastructure.things import actions, listening
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import MaintenanceWindow, Thing
from haitang.support.infrastructure.things.queries import READ, get, maintained, waiting, windows_of
from haitang.support.security.people.models import Organization

BAD_COORDINATES = error("things.bad_coordinates", 400, "经纬度须为十进制度数，例如 105.7215 和 29.7074。")
BAD_TIME = error("things.bad_time", 400, "“{text}”不是时间，请写作 2026-03-01 08:30。")
NO_SUCH_WINDOW = error("things.no_such_window", 404, "没有这次维护登记。")
PAGE = 100
WINDOWS = 20
MAY = ("admit", "refuse", "retire", "set_credential", "set_origin", "plan_maintenance", "end_maintenance")


def _waiting(actor: Actor) -> int:
    return waiting().count()


entry("things", title="设备", url="/things", icon="broadcast", group="watch", order=40, permission=READ, badge=_waiting)


@require_GET
@page(READ)
def things(request: HttpRequest) -> HttpResponse:
    """The registry, provisional stations first; `?status=` and `?q=` narrow it."""
    found, text = Thing.objects.all(), request.GET.get("q", "").strip()
    worked_on = maintained()
    if (status := request.GET.get("status")) == "maintained":
        found = found.filter(pk__in=worked_on)
    elif status:
        found = found.filter(status=status)
    if text:
        found = found.filter(title__icontains=text) | found.filter(id__icontains=text) | found.filter(mn__icontains=text)
    rows = sorted(found.distinct()[:PAGE], key=lambda t: (t.status != Thing.PROVISIONAL, t.id))
    context = {
        "things": rows,
        "maintained": worked_on,
        "total": found.count(),
        "status": status or "",
        "q": text,
        "titles": _titles(),
        "hj212": listening.hj212(settings().run),
    }
    return show(request, "things/things.html", context)


@require_GET
@page(READ)
def thing(request: HttpRequest, id: str) -> HttpResponse:
    """One thing, with what it observes."""
    return _shown(request, get(id))


def _shown(
    request: HttpRequest, found: Thing, *, status: int = 200, problem: str = "", typed: Mapping[str, str] | None = None
) -> HttpResponse:
    """The page of a thing; `problem` stands at the form of maintenance with what was `typed` there."""
    now = clock.now()
    device = in_force().all(Device).get(found.device)
    organization = Organization.objects.filter(pk=found.organization_id).first()
    context: dict[str, Any] = {
        "thing": found, "device": device, "organization": organization, "devices": in_force().all(Device),
        "organizations": Organization.objects.filter(active=True).order_by("id"),
        "may": {name: _may(request, f"things.{name}") for name in MAY},
        "windows": [(window, window.state(now)) for window in windows_of(found)[:WINDOWS]], "problem": problem,
        "typed": typed or {"starts_at": f"{now.astimezone(clock.CHINA):%Y-%m-%dT%H:%M}"},
        "origins": {"live": T("实时数据"), **ORIGINS},
    }  # fmt: skip
    context["maintained"] = {found.id} if any(state == "running" for _, state in context["windows"]) else ()
    return show(request, "things/thing.html", context, status=status)


@require_POST
@page("things.admit")
def admit(request: HttpRequest, id: str) -> HttpResponseRedirect:
    told = request.POST
    with acting(reader(request)) as act:
        actions.admit(
            act=act, thing=get(id), device=told.get("device", ""), title=told.get("title", "").strip(), organization=told.get("organization", ""),
            longitude=_degrees(told.get("longitude"), 180), latitude=_degrees(told.get("latitude"), 90),
            credential=_credential(request),
        )  # fmt: skip
    return HttpResponseRedirect(f"/things/{id}")


@require_POST
@page("things.refuse")
def refuse(request: HttpRequest, id: str) -> HttpResponseRedirect:
    with acting(reader(request)) as act:
        actions.refuse(act=act, thing=get(id), reason=request.POST.get("reason", "").strip())
    return HttpResponseRedirect(f"/things/{id}")


@require_POST
@page("things.retire")
def retire(request: HttpRequest, id: str) -> HttpResponseRedirect:
    with acting(reader(request)) as act:
        actions.retire(act=act, thing=get(id), reason=request.POST.get("reason", "").strip())
    return HttpResponseRedirect(f"/things/{id}")


@require_POST
@page("things.set_credential")
def set_credential(request: HttpRequest, id: str) -> HttpResponseRedirect:
    """Replace the whole credential. What was saved is never sent to a browser again."""
    with acting(reader(request)) as act:
        actions.set_credential(act=act, thing=get(id), credential=_credential(request))
    messages.success(request, translate("设备凭据已更换"))
    return HttpResponseRedirect(f"/things/{id}")


@require_POST
@page("things.set_origin")
def set_origin(request: HttpRequest, id: str) -> HttpResponseRedirect:
    with acting(reader(request)) as act:
        actions.set_origin(act=act, thing=get(id), origin=request.POST.get("origin", ""))
    messages.success(request, translate("数据来源已标明"))
    return HttpResponseRedirect(f"/things/{id}")


@require_POST
@page("things.plan_maintenance")
def plan_maintenance(request: HttpRequest, id: str) -> HttpResponse:
    told, found = request.POST, get(id)
    try:
        with acting(reader(request)) as act:
            actions.plan_maintenance(
                act=act, thing=found, starts_at=_time(told.get("starts_at", "")), ends_at=_time(told.get("ends_at", "")),
                reason=told.get("reason", "").strip()[:200],
            )  # fmt: skip
    except HaitangError as refused:
        if refused.status != 400:
            raise
        return _shown(request, found, status=400, problem=sentence_of(refused), typed=told.dict())
    messages.success(request, translate("维护已登记，维护期间不报失联，报警先记录、不立案"))
    return HttpResponseRedirect(f"/things/{id}#maintenance")


@require_POST
@page("things.end_maintenance")
def end_maintenance(request: HttpRequest, id: str, window: int) -> HttpResponseRedirect:
    found = MaintenanceWindow.objects.filter(pk=window, thing=get(id)).first()
    if found is None:
        raise NO_SUCH_WINDOW()
    with acting(reader(request)) as act:
        actions.end_maintenance(act=act, window=found)
    messages.success(request, translate("维护已结束"))
    return HttpResponseRedirect(f"/things/{id}#maintenance")


def _time(text: str) -> datetime:
    """A time as a form tells it: China's civil time."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=clock.CHINA)
    except ValueError:
        raise BAD_TIME(text=text) from None


def _credential(request: HttpRequest) -> actions.Credential:
    return actions.Credential(*(request.POST.get(name, "").strip() for name in ("password", "sm4_key", "address")))


def _may(request: HttpRequest, permission: str) -> bool:
    return policy().decide(actor=reader(request), permission=permission, resource=None).allowed


def _degrees(text: str | None, limit: float) -> float | None:
    if not text or not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        raise BAD_COORDINATES() from None
    if not -limit <= value <= limit:
        raise BAD_COORDINATES()
    return value


def _titles() -> dict[str, str]:
    return {id: device.title for id, device in in_force().all(Device).items()}


urlpatterns = [
    path("things", things),
    path("things/<str:id>", thing),
    path("things/<str:id>/admit", admit),
    path("things/<str:id>/refuse", refuse),
    path("things/<str:id>/retire", retire),
    path("things/<str:id>/credential", set_credential),
    path("things/<str:id>/origin", set_origin),
    path("things/<str:id>/maintenance", plan_maintenance),
    path("things/<str:id>/maintenance/<int:window>/end", end_maintenance),
]
