"""Opening a case by hand: the page that asks the form of the case's type, and a submission that counts once."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from haitang.base.actions import Act, acting
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.base.ids import new_id
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.base.text import T, sentence_of, translate
from haitang.hub.business.cases.actions import open_case
from haitang.hub.business.cases.kinds import CaseType, sources
from haitang.hub.business.cases.listing import SEVERITIES
from haitang.hub.business.cases.models import Case
from haitang.hub.business.forms.kinds import Question
from haitang.hub.business.forms.queries import questions
from haitang.support.security.people.models import Organization, Person

OWN = ("kind", "source", "title", "severity", "description", "once")
PREFIX = "answer-"  # of the form's questions, which may be called like one of our own


def open_once(*, act: Act, once: str, **given: Any) -> Case:
    """`open_case`, but the same person's same `once` again gives the case that it opened; without `once` it opens one each time."""
    if not once:
        return open_case(act=act, **given)
    key = f"hand:{act.actor.ref}:{once[:64]}"
    try:
        with transaction.atomic():
            found = Case.objects.filter(matter_key=key).first()
            return found or open_case(act=act, key=key, **given)
    except IntegrityError:  # the other of two that were sent at once has opened it
        found = Case.objects.filter(matter_key=key).first()
        if found is None:
            raise
        return found


@page("case.open")
def new(request: HttpRequest) -> HttpResponse:
    """Open a case by hand. The type may stand in the address (`?kind=`); choosing one shows the questions of its form."""
    given = {name: request.POST.get(name, request.GET.get(name, "")).strip() for name in OWN}
    given["once"], given["source"] = given["once"] or str(new_id()), given["source"] or "centre"
    if request.method != "POST" or "choose" in request.POST:
        return _asked(request, given)
    problems = {name: T("请填写") for name in ("kind", "title", "description") if not given[name]}
    if problems:
        return _asked(request, given, {"problems": problems}, 422)
    try:
        with acting(reader(request)) as act:
            made = make(act, given, _answers(request, given["kind"]))
    except HaitangError as refused:
        wrong = refused.data.get("by_question", {})
        return _asked(
            request, given, {"answer_problems": wrong, "sentence": "" if wrong else sentence_of(refused), "wrong": True}, refused.status
        )
    told = T("已立案，编号 {number}") if made.filed_at else T("已受理，编号 {number}，待决定是否立案")
    messages.success(request, translate(told, number=made.number), extra_tags="new-case")  # the name of its draft
    return HttpResponseRedirect(f"/cases/{made.number}")


def _questions(kind: str) -> dict[str, Question]:
    declared = in_force().all(CaseType).get(kind)
    return questions([declared.form]) if declared and declared.form else {}


def _answers(request: HttpRequest, kind: str) -> dict[str, str]:
    return {name: request.POST.get(PREFIX + name, "") for name in _questions(kind)}


def _asked(request: HttpRequest, given: Mapping[str, str], more: Mapping[str, Any] | None = None, status: int = 200) -> HttpResponse:
    people = Person.objects.filter(is_active=True, kind="staff", organization__isnull=False).select_related("organization")
    context = {
        "kinds": in_force().all(CaseType),
        "sources": sources(),
        "severities": SEVERITIES,
        "given": given,
        "questions": {PREFIX + name: (name, question) for name, question in _questions(given["kind"]).items()},
        "answers": _answers(request, given["kind"]),
        "organizations": Organization.objects.filter(active=True).order_by("title"),
        "people": people.order_by("organization", "name"),
    }
    return show(request, "cases/new.html", {**context, **(more or {})}, status=status)


def make(act: Act, given: Mapping[str, str], answers: Mapping[str, Any]) -> Case:
    """The case that a page asks for."""
    return open_once(
        act=act, once=given["once"], kind=given["kind"], title=given["title"], severity=given["severity"] or "warning",
        description=given["description"], answers=answers, source=given["source"],
    )  # fmt: skip
