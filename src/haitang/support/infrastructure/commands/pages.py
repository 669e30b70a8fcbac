"""Pages: the commands of one thing."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from haitang.base import clock
from haitang.base.actions import acting, may
from haitang.base.declarations import in_force
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.base.text import translate
from haitang.support.infrastructure.commands import actions, queries
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.queries import READ, get

SHOWN = 100


@require_GET
@page(READ)
def commands(request: HttpRequest, id: str) -> HttpResponse:
    """What was asked of the device, and what became of it."""
    thing = get(id)
    device = in_force().all(Device).get(thing.device)
    declared = device.commands if device else {}
    now = clock.now()
    rows = [{"command": each, "expired": each.expired(now), "declared": declared.get(each.name)} for each in queries.of(thing)[:SHOWN]]
    context: dict[str, Any] = {
        "thing": thing, "rows": rows, "declared": declared,
        "may": {name: may(reader(request), f"things.{name}") for name in ("command", "withdraw_command")},
    }  # fmt: skip
    return show(request, "commands/commands.html", context)


@require_POST
@page("things.command")
def command(request: HttpRequest, id: str) -> HttpResponseRedirect:
    name = request.POST.get("name", "")
    told = {key.removeprefix(f"{name}."): value for key, value in request.POST.items() if key.startswith(f"{name}.") and value}
    with acting(reader(request)) as act:
        actions.command(act=act, thing=get(id), name=name, parameters={key: _value(str(value)) for key, value in told.items()})
    messages.success(request, translate("指令已排队，设备在线收听时送达"))
    return HttpResponseRedirect(f"/things/{id}/commands")


@require_POST
@page("things.withdraw_command")
def withdraw(request: HttpRequest, id: str, command: str) -> HttpResponseRedirect:
    with acting(reader(request)) as act:
        actions.withdraw(act=act, command=queries.get(get(id), command))
    return HttpResponseRedirect(f"/things/{id}/commands")


def _value(text: str) -> float | str:
    """A number where it reads as one: devices want numbers as numbers."""
    try:
        return float(text)
    except ValueError:
        return text[:200]


urlpatterns = [
    path("things/<str:id>/commands", commands),
    path("things/<str:id>/commands/new", command),
    path("things/<str:id>/commands/<str:command>/withdraw", withdraw),
]
