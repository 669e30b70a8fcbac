"""Pages: my delegations and acting on behalf of somebody; transfer and leave on a person's page."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST

from haitang.base import clock
from haitang.base.actions import acting
from haitang.base.errors import HaitangError, error
from haitang.base.shell.views import page, show
from haitang.base.text import T, sentence_of, translate
from haitang.support.security.people.directory.pages import person_with
from haitang.support.security.people.handing_over import actions
from haitang.support.security.people.handing_over.queries import delegation_of, delegations_of, takers_for
from haitang.support.security.people.identity import ACTING_FOR, actor, own_actor, person
from haitang.support.security.people.queries import person_named

BAD_DATE = error("people.bad_date", 400, "请填写日期和时间，例如 2026-12-01 09:00。")
OWN = "one's own duties are one's own to delegate"


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip().replace(" ", "T")).replace(tzinfo=clock.CHINA)
    except ValueError:
        raise BAD_DATE() from None


@require_http_methods(["GET", "POST"])
@page(anyone=OWN)
def delegations(request: HttpRequest) -> HttpResponse:
    """Whom I let act for me, and for whom I may act."""
    who = person(request)
    given, taken = delegations_of(who)
    context: dict[str, Any] = {"who": who, "given": given, "taken": taken, "takers": takers_for(who), "typed": request.POST}
    if request.method == "GET":
        return show(request, "people/delegations.html", context)
    try:
        starts, ends = _moment(request.POST.get("starts", "")), _moment(request.POST.get("ends", ""))
        taker = person_with(_id(request.POST.get("taker", "")))
        with acting(own_actor(request)) as act:
            actions.delegate(act=act, giver=who, taker=taker, starts=starts, ends=ends, reason=request.POST.get("reason", "").strip())
    except HaitangError as refused:
        if refused.code == "base.needs_proof":
            raise
        return show(request, "people/delegations.html", {**context, "problem": sentence_of(refused)}, status=refused.status)
    messages.success(request, translate(T("已委托。")))
    return HttpResponseRedirect("/account/delegations")


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


@require_POST
@page(anyone=OWN)
def end(request: HttpRequest, id: UUID) -> HttpResponse:
    """End a delegation of mine, or to me."""
    with acting(own_actor(request)) as act:
        actions.end_delegation(act=act, delegation=delegation_of(id, person(request)))
    messages.success(request, translate(T("已结束代办。")))
    return HttpResponseRedirect("/account/delegations")


@require_POST
@page(anyone=OWN)
def act_for(request: HttpRequest, id: UUID) -> HttpResponse:
    """From now on this session acts on behalf of the giver."""
    found = delegation_of(id, person(request))
    with acting(own_actor(request)) as act:
        actions.note_acting_for(act=act, delegation=found)
    request.session[ACTING_FOR] = str(found.pk)
    return HttpResponseRedirect("/")


@require_POST
@page(anyone=OWN)
def act_for_oneself(request: HttpRequest) -> HttpResponse:
    """Back to one's own work."""
    request.session.pop(ACTING_FOR, None)
    return HttpResponseRedirect("/")


@require_POST
@page("people.transfer")
def transfer(request: HttpRequest, id: UUID) -> HttpResponse:
    who, to = person_with(id), request.POST.get("to", "")
    with acting(actor(request)) as act:
        handed = actions.transfer(
            act=act, person=who, organization=request.POST.get("organization", ""), to=person_with(_id(to)) if to else None
        )
    messages.success(request, translate(T("已调动，角色已收回，移交 {n} 件事项。"), n=handed))
    return HttpResponseRedirect(f"/people/{who.pk}")


@require_POST
@page("people.leave")
def leave(request: HttpRequest, id: UUID) -> HttpResponse:
    who, to = person_with(id), request.POST.get("to", "")
    with acting(actor(request)) as act:
        handed = actions.leave(act=act, person=who, to=person_with(_id(to)) if to else None)
    messages.success(request, translate(T("已办理离任，移交 {n} 件事项。"), n=handed))
    return HttpResponseRedirect(f"/people/{who.pk}")


@require_POST
@page("people.delegate_for")
def delegate_for(request: HttpRequest, id: UUID) -> HttpResponse:
    """Arrange that somebody acts for one who is absent."""
    who = person_with(id)
    starts, ends = _moment(request.POST.get("starts", "")), _moment(request.POST.get("ends", ""))
    taker = person_named(request.POST.get("taker", "").strip())
    with acting(actor(request)) as act:
        actions.delegate_for(act=act, giver=who, taker=taker, starts=starts, ends=ends, reason=request.POST.get("reason", "").strip())
    messages.success(request, translate(T("已安排由 {name} 代办。"), name=taker.name))
    return HttpResponseRedirect(f"/people/{who.pk}")


@require_POST
@page("people.delegate_for")
def end_for(request: HttpRequest, id: UUID, delegation: UUID) -> HttpResponse:
    """End a delegation of somebody before its time."""
    who = person_with(id)
    with acting(actor(request)) as act:
        actions.end_delegation_for(act=act, delegation=delegation_of(delegation, who))
    messages.success(request, translate(T("已结束代办。")))
    return HttpResponseRedirect(f"/people/{who.pk}")


urlpatterns = [
    path("account/delegations", delegations),
    path("account/delegations/oneself", act_for_oneself),
    path("account/delegations/<uuid:id>/end", end),
    path("account/delegations/<uuid:id>/act", act_for),
    path("people/<uuid:id>/delegate", delegate_for),
    path("people/<uuid:id>/delegations/<uuid:delegation>/end", end_for),
    path("people/<uuid:id>/transfer", transfer),
    path("people/<uuid:id>/leave", leave),
]
