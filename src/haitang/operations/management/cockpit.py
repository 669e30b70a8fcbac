"""What the cockpit and the wall show. Each part is a fragment of its own, fetched again when the live feed says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count

from haitang.base import clock
from haitang.base.actions import Actor
from haitang.base.declarations import in_force
from haitang.base.shell.words import phrase
from haitang.base.text import translate
from haitang.hub.business.cases.deadlines import first_deadline
from haitang.hub.business.cases.listing import readable, stages
from haitang.hub.business.maps.points import last_seen, state_of
from haitang.hub.business.pages.kinds import Page
from haitang.hub.business.pages.tiles import tile
from haitang.hub.business.procedures.kinds import Procedure
from haitang.hub.business.procedures.models import RunEvent
from haitang.hub.data.indicators.kinds import Indicator
from haitang.hub.data.rules.models import Alarm
from haitang.hub.data.rules.queries import open_alarms
from haitang.support.infrastructure.things.models import Thing
from haitang.support.infrastructure.things.queries import all_admitted
from haitang.support.security.evidence.models import Seal

TILES, LINES = 4, 9


@dataclass(frozen=True)
class Line:
    """One line of the feed."""

    at: datetime
    icon: str
    what: str
    link: str
    who: str = ""
    origin: str = "live"


def map_address(**more: str) -> str:
    """The cockpit's map: the first map that a declared page shows on the wall, else all things."""
    for page in in_force().all(Page).values():
        for cell in (cell for row in page.rows for cell in row if isinstance(cell, dict) and "map" in cell):
            return f"/maps/district.json?{urlencode({'device': cell['map'], **({'colour': cell['colour']} if 'colour' in cell else {}), **more})}"
    return "/maps/district.json"


def tiles() -> list[Any]:
    """The indicators that declared pages show first, else the first ones declared."""
    named = [cell for page in in_force().all(Page).values() for row in page.rows for cell in row if isinstance(cell, str)]
    ids = list(dict.fromkeys([*named, *in_force().all(Indicator)]))
    return [tile(id) for id in ids[:TILES]]


def counts(actor: Actor) -> dict[str, int]:
    """The four figures of the moment."""
    now, cases = clock.now(), readable(actor)
    things = list(all_admitted())
    seen = last_seen(things)
    return {
        "things": len(things),
        "heard": sum(state_of(thing, seen.get(thing.pk)) == "normal" for thing in things),
        "alarms": open_alarms().count(),
        "open": cases.filter(closed_at__isnull=True).count(),
        "closed_today": cases.filter(closed_at__gte=now.astimezone(clock.CHINA).replace(hour=0, minute=0, second=0, microsecond=0)).count(),
    }


def by_stage(actor: Actor) -> list[tuple[str, str, int]]:
    """(stage, title, open cases) in the order of the procedure; ended stages left out."""
    found = dict(readable(actor).filter(closed_at__isnull=True).order_by().values_list("stage").annotate(Count("pk")))
    titles = stages()
    return [(id, titles[id], found.get(id, 0)) for id in titles if id in found or not _ends(id)]


def _ends(stage: str) -> bool:
    return any(p.stages[stage].end for p in in_force().all(Procedure).values() if stage in p.stages)


def deadline_watch(actor: Actor) -> list[Any]:
    """Open cases by what is due first."""
    found = readable(actor).filter(closed_at__isnull=True, first_due__isnull=False, paused=False).order_by("first_due")[:8]
    return [(case, first_deadline(case)) for case in found]


def newest_alarms() -> list[tuple[Alarm, str]]:
    titles = _titles()
    return [(alarm, titles.get(alarm.thing, alarm.thing)) for alarm in Alarm.objects.filter(withdrawn_at__isnull=True)[:8]]


def _titles() -> Mapping[str, str]:
    return dict(Thing.objects.values_list("pk", "title"))


def feed(actor: Actor) -> list[Line]:
    """What happened last: alarms, steps of cases, seals."""
    titles, lines = _titles(), []
    for alarm in Alarm.objects.order_by("-raised_at")[:LINES]:
        lines.append(
            Line(
                alarm.raised_at,
                "alert-triangle",
                f"{translate(alarm.title)} · {translate(titles.get(alarm.thing, alarm.thing))}",
                f"/alarms/{alarm.pk}",
                origin=alarm.origin,
            )
        )
    lines += _steps(actor)
    lines += [
        Line(seal.sealed_at, "shield-check", translate("证据封存 {n} 条", n=seal.count), "/evidence/seals")
        for seal in Seal.objects.order_by("-number")[:1]
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:LINES]


def _steps(actor: Actor) -> list[Line]:
    events = RunEvent.objects.filter(run__subject_kind="case").select_related("run").order_by("-at", "-pk")[:LINES]
    cases = {str(case.pk): case for case in readable(actor).filter(pk__in={event.run.subject_id for event in events})}
    found = []
    for event in events:
        case = cases.get(event.run.subject_id)
        if case is not None:
            what = f"{_step(event)} · {phrase(case.title)}"
            found.append(Line(event.at, "clipboard-list", what, f"/cases/{case.number}", event.actor_name, case.origin))
    return found


def _step(event: RunEvent) -> str:
    """The title of a step as the release in force words it."""
    if event.kind == "moved":
        procedure = in_force().all(Procedure).get(event.run.procedure)
        move = procedure.moves.get(event.data.get("move", "")) if procedure else None
        return translate(move.title) if move else translate("办理")
    return translate(
        {
            "started": "立案",
            "paused": "暂停计时",
            "resumed": "恢复计时",
            "extension_asked": "申请延期",
            "extension_decided": "审批延期",
            "remarked": "说明",
        }.get(event.kind, "流程换版")
    )
