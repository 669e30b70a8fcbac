"""The list of cases: which ones a reader may see, how they are narrowed, what a row shows."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Coalesce, Least
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from haitang.base import clock
from haitang.base.actions import Actor
from haitang.base.declarations import in_force
from haitang.base.shell.tables import Column, Filter
from haitang.base.shell.templatetags.shell import origin, status, when
from haitang.base.shell.words import ORIGINS, STATES, phrase, who
from haitang.base.text import T, translate
from haitang.hub.business.cases.deadlines import first_deadline, procedure_of
from haitang.hub.business.cases.drill import narrow_to, told
from haitang.hub.business.cases.filters import NONE, Filters, filtered, visible
from haitang.hub.business.cases.kinds import CaseType, sources
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.standing import escalated, with_standing
from haitang.hub.business.procedures.kinds import Procedure
from haitang.support.security.people.models import Organization

FLAGS = ("open", "overdue", "escalated", "due_soon")
SEVERITIES = {name: STATES[name] for name in ("notice", "warning", "serious", "critical")}


def readable(actor: Actor) -> Any:
    """Cases that a reader may see, with the moment at which they are due first (`first_due`)."""
    found = with_standing(visible(actor)).select_related("organization", "handler")
    return found.annotate(first_due=Least(Coalesce("stage_due_at", "due_at"), Coalesce("due_at", "stage_due_at")))


def waits_for(actor: Actor) -> Q:
    """Open cases whose next step is this reader's: their role makes a move from the stage, and the case is theirs or not yet anybody's."""
    steps = Q(pk__in=[])
    for id, declared in in_force().all(CaseType).items():
        procedure = in_force().all(Procedure).get(declared.procedure)
        for move in procedure.moves.values() if procedure else ():
            if not actor.roles & set(move.roles):
                continue
            step = Q(case_kind=id, stage__in=move.sources)
            if move.only == "assigned":
                step &= Q(organization_id=actor.organization) & (_unnamed() | Q(handler_id=actor.id))
            steps |= step
    return Q(closed_at__isnull=True) & steps


def _unnamed() -> Q:
    """Nobody was named, or who was named has left."""
    return Q(handler__isnull=True) | Q(handler__is_active=False) | ~Q(handler__organization_id=F("organization_id"))


def stage_title(case: Case) -> str:
    procedure = procedure_of(case)
    found = procedure.stages.get(case.stage) if procedure else None
    return found.title if found else case.stage


def kind_title(case: Case) -> str:
    declared = in_force().all(CaseType).get(case.case_kind)
    return declared.title if declared else case.case_kind


def stages() -> Mapping[str, str]:
    """Stage -> title over all procedures in use, the fullest procedure's order first, so that what comes before filing stands before it."""
    used = {declared.procedure for declared in in_force().all(CaseType).values()}
    procedures = sorted((in_force().get(Procedure, name) for name in used), key=lambda each: (-len(each.stages), each.id))
    found: dict[str, str] = {}
    for procedure in procedures:
        for id, stage in procedure.stages.items():
            found.setdefault(id, stage.title)
    return found


def _kinds() -> Mapping[str, str]:
    return {id: declared.title for id, declared in in_force().all(CaseType).items()}


def _organizations() -> Mapping[str, str]:
    return dict(Organization.objects.filter(active=True).order_by("title").values_list("pk", "title"))


def _with(actor: Actor, name: str) -> Callable[[Any, str], Any]:
    """A filter of the room, set by the address."""

    def narrow(rows: Any, value: str) -> Any:
        given: dict[str, Any] = {name: value == "1" if name in FLAGS else value}
        return filtered(rows, Filters(**given), actor)

    return narrow


def _since(rows: Any, value: str) -> Any:
    try:
        return rows.filter(opened_at__gte=datetime.fromisoformat(value).replace(tzinfo=clock.CHINA))
    except ValueError:
        return rows


def _or_none(found: Mapping[str, str], title: str) -> Mapping[str, str]:
    return {**found, NONE: title}


def filters(actor: Actor, given: Mapping[str, Any] | None = None) -> list[Filter]:
    """What the list can be narrowed by; where the address says so (`given`), also to what stands behind a figure of the evaluation (see drill.py)."""
    narrow, given = partial(_with, actor), given or {}
    figure = str(given.get("figure", ""))
    behind = [Filter("figure", T("考核口径"), narrow_to, choices=lambda: {figure: told(figure)})] if told(figure) else []
    behind += [Filter("division", T("区划代码"), narrow("division"), kind="text")] if given.get("division") else []
    return [
        *behind,
        Filter("q", T("编号或文字"), narrow("text"), kind="text"),
        Filter("stage", T("环节"), narrow("stage"), choices=stages),
        Filter("kind", T("类型"), narrow("kind"), choices=_kinds),
        Filter("severity", T("级别"), narrow("severity"), choices=lambda: SEVERITIES),
        Filter("organization", T("办理单位"), narrow("organization"), choices=lambda: _or_none(_organizations(), T("未派遣"))),
        Filter("source", T("案件来源"), narrow("source"), choices=lambda: _or_none(sources(), T("不详"))),
        Filter("origin", T("数据性质"), narrow("origin"), choices=lambda: {"live": T("实时数据"), **ORIGINS}),
        Filter("since", T("立案不早于"), _since, kind="date"),
        Filter("open", T("未结案"), narrow("open"), kind="flag"),
        Filter("mine", T("待我办理"), lambda rows, value: rows.filter(waits_for(actor)), kind="flag"),
        Filter("overdue", T("已超期"), narrow("overdue"), kind="flag"),
        Filter("escalated", T("已督办"), narrow("escalated"), kind="flag"),
        Filter("soon", T("即将到期"), narrow("due_soon"), kind="flag"),
    ]


def _link(case: Case) -> SafeString:
    return format_html('<a class="num" href="/cases/{}">{}</a>', case.number, case.number)


def _title(case: Case) -> SafeString:
    return format_html('<a href="/cases/{}">{}</a> {} {}', case.number, phrase(case.title), origin(case.origin), escalation(case))


def escalation(case: Case) -> SafeString:
    """The mark of a case about which somebody was told that it is late."""
    return format_html('<span class="status status-critical">{}</span>', translate("已督办")) if escalated(case) else SafeString()


def _deadline(case: Case) -> str:
    return render_to_string("shell/parts/deadline.html", {"deadline": first_deadline(case)})


def _who(case: Case) -> str:
    organization = translate(case.organization.title) if case.organization else "—"
    return f"{organization} · {who(case.handler.name)}" if case.handler else organization


COLUMNS = [
    Column("number", T("编号"), lambda c: c.number, _link, sort="number"),
    Column("title", T("事项"), lambda c: c.title, _title, wide=True),
    Column("severity", T("级别"), lambda c: c.severity, lambda c: status(c.severity)),
    Column("stage", T("环节"), stage_title, lambda c: translate(stage_title(c)), sort="stage"),
    Column("deadline", T("期限"), lambda c: c.first_due, _deadline, sort="first_due"),
    Column("who", T("办理单位与人员"), _who, sort="organization__title"),
    Column("opened", T("受理时间"), lambda c: c.opened_at, lambda c: when(c.opened_at), sort="opened_at"),
    Column("kind", T("类型"), kind_title, lambda c: translate(kind_title(c)), sort="case_kind", shown=False),
    Column(
        "source",
        T("案件来源"),
        lambda c: sources().get(c.source, c.source),
        lambda c: translate(sources().get(c.source, c.source)),
        sort="source",
        shown=False,
    ),
    Column("filed", T("立案时间"), lambda c: c.filed_at, lambda c: when(c.filed_at), sort="filed_at", shown=False),
    Column("closed", T("结案时间"), lambda c: c.closed_at, lambda c: when(c.closed_at), sort="closed_at", shown=False),
    Column("due", T("办结期限"), lambda c: c.due_at, lambda c: when(c.due_at, "exact"), sort="due_at", shown=False),
    Column("returned", T("返工次数"), lambda c: c.returned, sort="returned", shown=False, numeric=True),
    Column("thing", T("设备编号"), lambda c: c.thing, sort="thing", shown=False),
    Column(
        "origin", T("数据性质"), lambda c: c.origin, lambda c: translate(ORIGINS.get(c.origin, T("实时数据"))), sort="origin", shown=False
    ),
]
