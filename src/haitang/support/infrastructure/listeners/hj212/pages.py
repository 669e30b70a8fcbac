"""The part of a station's page where it is commanded: what was asked and how far it came, and the form to ask."""

from datetime import timedelta

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
from haitang.base.text import sentence_of, translate
from haitang.support.infrastructure.listeners.hj212 import actions, queries
from haitang.support.infrastructure.listeners.hj212.commands import COMMANDS, command
from haitang.support.infrastructure.things.models import Thing
from haitang.support.infrastructure.things.queries import READ, get

# state -> (colour of the shell's status mark, text)
STATES = {
    "queued": ("notice", "等待发送"), "sent": ("notice", "已发送"), "executing": ("notice", "执行中"), "done": ("normal", "已执行"),
    "refused": ("warning", "被拒绝"), "failed": ("warning", "执行失败"), "timed_out": ("warning", "超时"), "withdrawn": ("stale", "已撤回"),
}  # fmt: skip


@require_GET
@page(READ)
def commands(request: HttpRequest, id: str) -> HttpResponse:
    """The newest commands of a station: a part of its page, and a page of its own for whoever has no JavaScript."""
    return _shown(request, get(id))


@require_POST
@page("things.command_station")
def send(request: HttpRequest, id: str) -> HttpResponse:
    """Queue a command; what was typed stays when it is refused."""
    thing = get(id)
    try:
        with acting(reader(request)) as act:
            actions.send(act=act, thing=thing, cn=request.POST.get("cn", ""), given=request.POST.dict())
    except HaitangError as found:
        if found.status not in (400, 409):
            raise
        return _shown(request, thing, problem=sentence_of(found), status=found.status)
    messages.success(request, translate("命令已排队，监测站在线时立即发送"))
    return HttpResponseRedirect(f"/things/{id}/hj212")


@require_POST
@page("things.withdraw_station_command")
def withdraw(request: HttpRequest, id: str, command: str) -> HttpResponseRedirect:
    with acting(reader(request)) as act:
        actions.withdraw(act=act, asked=queries.get(id, command))
    messages.success(request, translate("命令已撤回"))
    return HttpResponseRedirect(f"/things/{id}/hj212")


def _shown(request: HttpRequest, thing: Thing, *, problem: str = "", status: int = 200) -> HttpResponse:
    asked = list(queries.of_thing(thing.id))
    chosen = COMMANDS.get(request.POST.get("cn") or request.GET.get("cn", ""), COMMANDS["1012"])
    typed = request.POST if request.method == "POST" else request.GET
    context = {
        "thing": thing,
        "asked": [(each, command(each.cn).title, *STATES[each.state]) for each in asked],
        "may": may(reader(request), "things.command_station", thing) and bool(thing.mn) and thing.status == Thing.ADMITTED,
        "may_withdraw": may(reader(request), "things.withdraw_station_command"),
        "commands": COMMANDS.values(),
        "chosen": chosen,
        "fields": [(field, typed.get(field.name) or _usual(field.name)) for field in chosen.fields],
        "problem": problem,
        "whole": not request.headers.get("HX-Request"),
    }
    return show(request, "hj212/commands.html" if context["whole"] else "hj212/commands_part.html", context, status=status)


def _usual(name: str) -> str:
    """What a field starts with: the last whole day for a period."""
    if name not in ("BeginTime", "EndTime"):
        return ""
    hour = clock.now().astimezone(CHINA).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    return (hour - timedelta(days=1) if name == "BeginTime" else hour).isoformat(timespec="minutes")


urlpatterns = [
    path("things/<str:id>/hj212", commands),
    path("things/<str:id>/hj212/send", send),
    path("things/<str:id>/hj212/<str:command>/withdraw", withdraw),
]
