"""A procedure with everything in it, and people of one name and one role."""

from datetime import datetime
from typing import Any

from haitang.base.actions import Actor
from haitang.base.clock import CHINA
from haitang.hub.business.procedures.kinds import Procedure
from haitang.hub.business.procedures.rehearsal import Rehearsal
from haitang.support.standards.calendar import WorkingCalendar, working_calendar
from haitang.support.standards.kinds import Calendar

YEAR: dict[str, Any] = {"holidays": ["2026-10-01..2026-10-07"], "workdays": ["2026-10-10"], "source": "试验", "published": "2025-11-04"}
BODY: dict[str, Any] = {
    "title": "处置",
    "start": "filed",
    "stages": {
        "filed": {"title": "待派遣", "within": "30 emergency minutes"},
        "dispatched": {"title": "待处置", "within": "4 working hours"},
        "handled": {"title": "待核查"},
        "closed": {"title": "已结案", "end": True},
    },
    "moves": {
        "dispatch": {
            "title": "派遣",
            "from": "filed",
            "to": "dispatched",
            "by": "dispatcher",
            "asks": ["organization"],
            "does": ["assigns"],
        },
        "handle": {"title": "处置", "from": "dispatched", "to": "handled", "by": "handler", "only": "assigned"},
        "accept": {"title": "核查通过", "from": "handled", "to": "closed", "by": "verifier", "not_by": "handle"},
        "return": {"title": "退回", "from": "handled", "to": "dispatched", "by": "verifier"},
    },
    "limits": [
        {"from": "2026-06-01", "within": "2 working days", "basis": "新规"},
        {"from": "2020-01-01", "within": "5 working days", "basis": "旧规"},
    ],
    "pauses": {"waiting": {"title": "等待", "by": "handler", "at most": "1 working day"}},
    "extension": {"by": "handler", "approved_by": ["head", "handler"], "at most": "2 working days"},
    "escalations": [{"before": "1 working hour", "tells": ["handler"]}, {"after": "1 working hour", "tells": ["officer"]}],
}


def procedure(**changes: Any) -> Procedure:
    found = Procedure.model_validate({**BODY, **changes})
    found._id = "trial"
    return found


def calendar(*published: int) -> WorkingCalendar:
    return working_calendar(Calendar.model_validate({"title": "试验", "years": dict.fromkeys(published or (2026,), YEAR)}))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def who(name: str, *roles: str, organization: str = "ecology") -> Actor:
    return Actor("staff", name, name, organization, frozenset(roles))


DISPATCHER, HANDLER, VERIFIER = who("li", "dispatcher"), who("wang", "handler"), who("zhao", "verifier")


def begun(start: str = "2026-11-23 09:00", **changes: Any) -> Rehearsal:
    return Rehearsal(procedure(**changes), calendar(), at(start))


def dispatched(start: str = "2026-11-23 09:00", **changes: Any) -> Rehearsal:
    run = begun(start, **changes)
    run.move("dispatch", DISPATCHER, at(start), {"organization": "ecology"})
    return run
