"""The declarations page: what is in force, what a person may tune, and edits that one proposes and another approves."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_POST
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from haitang.base import clock
from haitang.base.actions import acting
from haitang.base.declarations import Declaration, Tunable, all_kinds, in_force
from haitang.base.declarations import actions as edits
from haitang.base.declarations.models import Admission, Edit, Proposal
from haitang.base.declarations.positions import dotted
from haitang.base.declarations.walk import walk
from haitang.base.durations import parse_limit, parse_span
from haitang.base.errors import HaitangError, error
from haitang.base.ports import policy
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.base.shell.words import PROCESSES, STATES, span, who
from haitang.base.text import T, sentence_of, translate
from haitang.support.security.people.models import Person
from haitang.support.standards.wording import limit_text

WORDS = {**STATES, "silent": T("失联")}  # what a tunable key may hold besides numbers, durations and conditions
NO_EDIT = error("management.no_edit", 404, "没有这项调整。")
BAD_DATE = error("management.bad_date", 422, "生效日期应写成 2026-03-01。")


@dataclass(frozen=True)
class Key:
    """One key that may be tuned, with its value in force."""

    kind: str
    id: str
    title: str
    owner: str
    path: str
    value: Any
    why: str

    @property
    def words(self) -> str:
        """The value in words; empty where it is already readable as written."""
        return said(self.value)


def said(value: Any) -> str:
    """A duration, a limit or a level in the reader's language, `不设` for none; empty for what reads as it is written (numbers, conditions)."""
    if value is None:
        return translate("不设")
    if not isinstance(value, str):
        return ""
    if value in WORDS:
        return translate(WORDS[value])
    for read in (_limit, _span):
        try:
            return read(value)
        except ValueError:
            continue
    return ""


def _limit(text: str) -> str:
    return limit_text(parse_limit(text))


def _span(text: str) -> str:
    return span(parse_span(text))


def tunable_keys() -> Iterator[Key]:
    """Every tunable key of the release in force."""
    for kind in all_kinds().values():
        for id, declared in in_force().all(kind.model).items():
            yield from _keys_of(kind.name, id, declared)


def _keys_of(kind: str, id: str, declared: Declaration) -> Iterator[Key]:
    for spot in walk(declared):
        mark = spot.mark(Tunable)
        unset_detail = spot.value is None and len(spot.path) > 1  # a long list of what nobody set helps nobody
        if mark is not None and not spot.key and not unset_detail and not isinstance(spot.value, dict | list):
            yield Key(kind, id, getattr(declared, "title", id), declared.owner, dotted(spot.path), spot.value, mark.why)


def _names() -> dict[str, str]:
    return {f"system:{name}": who(name) for name in PROCESSES} | {
        f"{kind}:{pk}": who(name) for pk, kind, name in Person.objects.values_list("pk", "kind", "name")
    }


@require_GET
@page("declarations.read")
def declarations(request: HttpRequest) -> HttpResponse:
    """Releases, tunable keys by declaration, edits."""
    return _show(request, {})


def _show(request: HttpRequest, more: dict[str, Any], status: int = 200) -> HttpResponse:
    actor = reader(request)
    grouped: dict[tuple[str, str, str, str, str], list[Key]] = {}
    for key in tunable_keys():
        grouped.setdefault((all_kinds()[key.kind].title, key.kind, key.id, key.title, key.owner), []).append(key)
    chosen = request.GET.get("kind", "")
    context = {
        "digest": in_force().digest,
        "groups": [(head, rows) for head, rows in grouped.items() if not chosen or head[1] == chosen],
        "kinds": dict.fromkeys((head[1], head[0]) for head in grouped),
        "chosen": chosen,
        "admissions": Admission.objects.select_related("release")[:20],
        "proposals": Proposal.objects.filter(status=Proposal.Status.PROPOSED).exists(),
        "waiting": Edit.objects.filter(status=Edit.Status.PROPOSED),
        "decided": Edit.objects.exclude(status=Edit.Status.PROPOSED).order_by("-decided_at")[:20],
        "names": _names(),
        "me": actor.ref,
        "may_propose": policy().decide(actor=actor, permission="declarations.propose", resource=None).allowed,
        "may_withdraw": policy().decide(actor=actor, permission="declarations.withdraw", resource=None).allowed,
        "may_decide": policy().decide(actor=actor, permission="declarations.decide", resource=None).allowed,
        "today": clock.now().astimezone(clock.CHINA).date(),
        **more,
    }
    return show(request, "management/declarations.html", context, status=status)


def _value(text: str) -> Any:
    """What was typed, as the file would be read: numbers are numbers, the rest is text."""
    try:
        found = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return text
    return found if isinstance(found, int | float | str) and not isinstance(found, bool) else text


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BAD_DATE() from None


@require_POST
@page("declarations.propose")
def propose(request: HttpRequest) -> HttpResponse:
    """Propose another value; what is wrong stands beside what was typed."""
    told = request.POST
    try:
        with acting(reader(request)) as act:
            edits.propose_edit(
                act=act, kind=told.get("kind", ""), id=told.get("id", ""), key=told.get("key", ""), value=_value(told.get("value", "")),
                effective=_date(told.get("effective", "")), reason=told.get("reason", ""),
            )  # fmt: skip
    except HaitangError as refused:
        return _show(request, {"tried": told, "problem": sentence_of(refused)}, status=refused.status)
    messages.success(request, translate("调整已提出，等待另一人批准"))
    return HttpResponseRedirect("/declarations#edits")


@require_POST
@page("declarations.read")
def decide(request: HttpRequest, id: UUID) -> HttpResponse:
    """Approve, reject or take back: the button says which."""
    edit = Edit.objects.filter(pk=id).first()
    if edit is None:
        raise NO_EDIT()
    what, note = request.POST.get("do", ""), request.POST.get("note", "")
    with acting(reader(request)) as act:
        if what == "withdraw":
            edits.withdraw_edit(act=act, edit=edit, note=note)
        else:
            edit = edits.decide_edit(act=act, edit=edit, approve=what == "approve", note=note)
    waits = edit.status == Edit.Status.PROPOSED
    told = (
        "已批准，等待安全管理员批准后生效"
        if waits and what == "approve"
        else {"approve": "已批准", "withdraw": "已撤回"}.get(what, "未批准")
    )
    messages.success(request, translate(told))
    return HttpResponseRedirect("/declarations#edits")
