"""Pages: what one thing may be told, what it was told, and what became of it. Also a part of the thing's own page."""

import json
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from haitang.base import clock
from haitang.base.actions import acting, may
from haitang.base.clock import CHINA
from haitang.base.errors import HaitangError
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.base.text import T, sentence_of, translate
from haitang.support.infrastructure.commands import actions, protocols, queries
from haitang.support.infrastructure.commands.models import DeviceCommand
from haitang.support.infrastructure.commands.protocols import Field, Offer
from haitang.support.infrastructure.things.models import Thing
from haitang.support.infrastructure.things.queries import READ, get, get_for

SHOWN, SHOWN_AS_PART = 100, 5
# state -> (colour of the shell's status mark, word)
STATES = {
    "queued": ("notice", T("等待发送")), "sent": ("notice", T("已发送")), "acknowledged": ("notice", T("设备已收到")),
    "done": ("normal", T("已执行")), "failed": ("warning", T("失败")), "expired": ("stale", T("已过期未送达")), "withdrawn": ("stale", T("已撤回")),
}  # fmt: skip


@require_GET
@page(READ, own=True)
def commands(request: HttpRequest, id: str) -> HttpResponse:
    """A page of its own, and (asked by HTMX) the part of the thing's page."""
    thing = get_for(reader(request), id)
    return _part(request, thing) if request.headers.get("HX-Request") else _whole(request, thing)


@require_POST
@page("things.command", own=True)
def command(request: HttpRequest, id: str) -> HttpResponse:
    """Queue a command; what was typed stays when it is refused."""
    thing = get(id)
    try:
        with acting(reader(request)) as act:
            actions.command(act=act, thing=thing, name=request.POST.get("name", ""), parameters=_filled(request, thing))
    except HaitangError as found:
        if found.status not in (400, 409):
            raise
        return _whole(request, thing, problem=sentence_of(found), status=found.status)
    messages.success(request, translate("指令已排队，设备在线收听时送达"))
    return HttpResponseRedirect(f"/things/{id}/commands")


@require_POST
@page("things.withdraw_command", own=True)
def withdraw(request: HttpRequest, id: str, command: str) -> HttpResponseRedirect:
    with acting(reader(request)) as act:
        actions.withdraw(act=act, command=queries.get(get(id), command))
    messages.success(request, translate("指令已撤回"))
    return HttpResponseRedirect(f"/things/{id}/commands")


def _part(request: HttpRequest, thing: Thing) -> HttpResponse:
    offers = protocols.offers(thing)
    context = {**_asked(request, thing, offers, SHOWN_AS_PART), "part": True, "speaks": bool(offers)}
    return show(request, "commands/asked.html", context)


def _whole(request: HttpRequest, thing: Thing, *, problem: str = "", status: int = 200) -> HttpResponse:
    offers = protocols.offers(thing)
    typed = request.POST if request.method == "POST" else request.GET
    chosen = next((offer for _, offer in offers if offer.name == typed.get("name")), offers[0][1] if offers else None)
    context = {
        **_asked(request, thing, offers, SHOWN),
        "offers": [(offer, way.title) for way, offer in offers],
        "chosen": chosen,
        "fields": [(field, typed.get(f"v.{field.name}") or _usual(field.name)) for field in chosen.fields] if chosen else [],
        "may_command": thing.status == Thing.ADMITTED and may(reader(request), "things.command", thing),
        "problem": problem,
    }
    return show(request, "commands/commands.html", context, status=status)


def _asked(request: HttpRequest, thing: Thing, offers: list[tuple[Any, Offer]], count: int) -> dict[str, Any]:
    titles = {offer.name: offer.title for _, offer in offers}
    rows = [
        {
            "command": each, "title": titles.get(each.name, each.name), "way": protocols.title_of(each.protocol),
            "state": STATES[each.state], "parameters": list(each.parameters.items()), "told": _told(each),
        }
        for each in queries.of(thing)[:count]
    ]  # fmt: skip
    return {"thing": thing, "rows": rows, "may_withdraw": may(reader(request), "things.withdraw_command", thing)}


def _told(command: DeviceCommand) -> list[tuple[str, Any]]:
    """What the thing answered, by name where it can be read so. Pairs: a template would look up a key `items` before the method."""
    try:
        found = json.loads(command.answer or "{}")
    except ValueError:
        found = command.answer
    return [(name, value) for name, value in found.items() if name != "datatime"] if isinstance(found, dict) else [("", command.answer)]


def _filled(request: HttpRequest, thing: Thing) -> dict[str, Any]:
    """The fields of the form that were filled in."""
    kinds = {field.name: field for _, offer in protocols.offers(thing) if offer.name == request.POST.get("name") for field in offer.fields}
    told = {key.removeprefix("v."): str(value) for key, value in request.POST.items() if key.startswith("v.") and value}
    return {name: _value(value, kinds.get(name)) for name, value in told.items()}


def _value(text: str, field: Field | None) -> float | str:
    """A number where the field takes one and the text reads as one: devices want numbers as numbers."""
    if field is None or field.kind != "value":
        return text[:200]
    try:
        return float(text)
    except ValueError:
        return text[: field.longest]


def _usual(name: str) -> str:
    """What a field starts with: the last whole day for a period."""
    if name not in ("BeginTime", "EndTime"):
        return ""
    hour = clock.now().astimezone(CHINA).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    return (hour - timedelta(days=1) if name == "BeginTime" else hour).isoformat(timespec="minutes")


urlpatterns = [
    path("things/<str:id>/commands", commands),
    path("things/<str:id>/commands/new", command),
    path("things/<str:id>/commands/<str:command>/withdraw", withdraw),
]
