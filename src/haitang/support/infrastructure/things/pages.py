"""Pages: the registry of things, one thing, and the decision about a provisional one."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from haitang.base.actions import Actor, acting
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.base.ports import policy
from haitang.base.settings import settings
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import entry
from haitang.base.shell.views import page, show
from haitang.base.shell.words import ORIGINS
from haitang.base.text import T, translate
from haitang.support.infrastructure.things import actions, listening
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import Thing
from haitang.support.infrastructure.things.queries import READ, get, waiting
from haitang.support.security.people.models import Organization

BAD_COORDINATES = error("things.bad_coordinates", 400, "经纬度须为十进制度数，例如 105.7215 和 29.7074。")
PAGE = 100


def _waiting(actor: Actor) -> int:
    return waiting().count()


entry("things", title="设备", url="/things", icon="broadcast", group="watch", order=40, permission=READ, badge=_waiting)


@require_GET
@page(READ)
def things(request: HttpRequest) -> HttpResponse:
    """The registry, provisional stations first; `?status=` and `?q=` narrow it."""
    found, text = Thing.objects.all(), request.GET.get("q", "").strip()
    if status := request.GET.get("status"):
        found = found.filter(status=status)
    if text:
        found = found.filter(title__icontains=text) | found.filter(id__icontains=text) | found.filter(mn__icontains=text)
    rows = sorted(found.distinct()[:PAGE], key=lambda t: (t.status != Thing.PROVISIONAL, t.id))
    context = {
        "things": rows,
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
    found = get(id)
    device = in_force().all(Device).get(found.device)
    organization = Organization.objects.filter(pk=found.organization_id).first()
    context: dict[str, Any] = {
        "thing": found, "device": device, "organization": organization, "devices": in_force().all(Device),
        "organizations": Organization.objects.filter(active=True).order_by("id"),
        "may": {name: _may(request, f"things.{name}") for name in ("admit", "refuse", "retire", "set_credential", "set_origin")},
        "origins": {"live": T("实时数据"), **ORIGINS},
    }  # fmt: skip
    return show(request, "things/thing.html", context)


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
]
