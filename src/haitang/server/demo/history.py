"""Lets the stories happen: in one transaction, everything in the order of its time, reminders and escalations and the daily indicators included.

Every step is the real action of the person who makes it. The evidence of each says when it is told to have happened; that it was told by the
demonstration, and when, is a record of its own (`case.demonstrate`) in the same ledger, and the seal says when all of it was written.
"""

import heapq
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from haitang.base import clock
from haitang.base.actions import Act, Actor, acting, action
from haitang.base.declarations import in_force
from haitang.base.ports import Matter
from haitang.hub.business.cases import actions
from haitang.hub.business.cases.kinds import CaseType
from haitang.hub.business.cases.models import Case
from haitang.hub.business.procedures.deadlines import DEADLINES, attend
from haitang.hub.business.procedures.models import Run
from haitang.hub.data.rules.actions import open_missing_case
from haitang.hub.data.rules.models import Alarm
from haitang.server.demo.people import DEMO, cast
from haitang.server.demo.picture import picture
from haitang.server.demo.stories import OPEN, PAST, REPORTS, Step, Story, opened_so_that_it_ends, times
from haitang.server.demo.trends import case_indicators
from haitang.support.infrastructure.things.models import Thing
from haitang.support.standards.queries import calendar_in_force

SOON = timedelta(minutes=4)  # from an alarm to its case
TIME_OF_REPORTS = timedelta(hours=10, minutes=20)  # of a past day
REPORTED = "演示案件：由演示程序登记的上报，内容、人员和办理经过均为虚构。"
DESCRIPTION = "演示案件：由演示程序按回放数据的历史报警立案，人员和办理经过均为虚构。"


@dataclass
class Told:
    """A story that has its times and, where it is not a report, its alarm."""

    story: Story
    alarm: Alarm | None
    opened: datetime
    case: Case | None = None
    attended: set[datetime] = field(default_factory=set)


class Stage:
    """The queue of what happens, by time."""

    def __init__(self, now: datetime) -> None:
        self.now, self.count, self.queue = now, 0, list[tuple[datetime, int, Callable[[], None]]]()
        self.people, self.kind = cast(), _usual_kind()
        self.things = {thing.pk: thing for thing in Thing.objects.all()}

    def at(self, time: datetime, do: Callable[[], None]) -> None:
        if time <= self.now:
            self.count += 1
            heapq.heappush(self.queue, (time, self.count, do))

    def play(self) -> None:
        while self.queue:
            heapq.heappop(self.queue)[2]()


def _usual_kind() -> str:
    """The type of case that alarms open most, for what no alarm opened."""
    found = Counter(Alarm.objects.filter(case_kind__in=list(in_force().all(CaseType))).values_list("case_kind", flat=True))
    return found.most_common(1)[0][0] if found else next(iter(in_force().all(CaseType)))


def tell_stories(now: datetime | None = None) -> int:
    """Open the cases that are not there yet and let their stories happen; returns how many. None where no alarm was raised."""
    stage = Stage(now or clock.now())
    with transaction.atomic():
        told = _cast_alarms(stage)
        told += _cast_reports(stage) if told else []
        for each in told:
            _prepare(stage, each)
        if told:
            first = min(each.opened for each in told)
            for at in _mornings(first, stage.now):
                stage.at(at, lambda at=at: case_indicators(at))  # type: ignore[misc]
            stage.play()
            with acting(DEMO) as act:
                note_demonstration(act=act, cases=len(told), since=first, until=stage.now)
    return len(told)


@action("case.demonstrate", title="装入演示案件")
def note_demonstration(*, act: Act, cases: int, since: datetime, until: datetime) -> None:
    """Say in the ledger that the records of these times about these cases are a demonstration's."""
    act.record("instance", "demo", {"cases": cases, "since": since.isoformat(), "until": until.isoformat(), "fictitious": True})


def _cast_alarms(stage: Stage) -> list[Told]:
    """Each story that has not been told, with an alarm that no other case has: the newest for open ones, the rest spread over the past."""
    known = set(Case.objects.filter(facts__has_key="demo").values_list("facts__demo", flat=True))
    alarms = list(Alarm.objects.filter(case=None, withdrawn_at=None, origin="replay", opened_at__lte=stage.now).order_by("opened_at"))
    told, calendar = [], calendar_in_force()
    for story in (story for story in OPEN if story.word not in known):
        opened = opened_so_that_it_ends(stage.now, story.steps, calendar)
        found = next((alarm for alarm in reversed(alarms) if alarm.opened_at < opened), None)
        if found:
            alarms.remove(found)
            told.append(Told(story, found, opened))
    past = [story for story in PAST if story.word not in known]
    alarms = [alarm for alarm in alarms if alarm.case_kind] or alarms
    for number, story in enumerate(past):
        fitting = [a for a in alarms if times(a.opened_at + SOON, story.steps, calendar)[-1] < stage.now - timedelta(hours=1)]
        if fitting:
            found = fitting[number * len(fitting) // len(past)]
            alarms.remove(found)
            told.append(Told(story, found, found.opened_at + SOON))
    return told


def _cast_reports(stage: Stage) -> list[Told]:
    """Each report that has not been told: the open ones end now, the past ones on their day."""
    known = set(Case.objects.filter(facts__has_key="demo").values_list("facts__demo", flat=True))
    midnight, calendar = stage.now.astimezone(clock.CHINA).replace(hour=0, minute=0, second=0, microsecond=0), calendar_in_force()
    return [
        Told(
            story,
            None,
            opened_so_that_it_ends(stage.now, story.steps, calendar)
            if story.open
            else midnight - timedelta(days=story.days_ago) + TIME_OF_REPORTS,
        )
        for story in REPORTS
        if story.word not in known
    ]


def _prepare(stage: Stage, told: Told) -> None:
    stage.at(told.opened, lambda: _open(stage, told) if told.alarm else _report(stage, told))
    for at, step in zip(times(told.opened, told.story.steps, calendar_in_force()), told.story.steps, strict=True):
        if step.what:
            stage.at(at, lambda at=at, step=step: _make(stage, told, step, at))  # type: ignore[misc]
    cleared = told.alarm.cleared_at if told.alarm else None
    if cleared:
        stage.at(max(cleared, told.opened + timedelta(seconds=1)), lambda: _clear(told, cleared, max(cleared, told.opened)))


def _open(stage: Stage, told: Told) -> None:
    """The case of an alarm that opens one, else of a dispatcher who opens it by hand; either way linked to the alarm."""
    assert told.alarm
    alarm, thing = told.alarm, stage.things.get(told.alarm.thing)
    kind = alarm.case_kind or stage.kind
    name = thing.title if thing else alarm.thing
    matter = Matter(
        key=f"demo:{told.story.word}", case_kind=kind, title=f"{name}：{alarm.title}", severity=alarm.severity, arose_at=alarm.opened_at,
        thing=alarm.thing, alarm=str(alarm.pk), origin="replay",
        facts={"demo": told.story.word, "rule": alarm.rule, "property": alarm.property, "statistic": alarm.statistic, "value": alarm.value},
    )  # fmt: skip
    where = actions.Where(thing.pk, thing.division, thing.longitude, thing.latitude) if thing else actions.Where()
    with acting(DEMO, at=told.opened) as act:
        told.case = actions.open_case(
            act=act, kind=kind, title=matter.title, severity=alarm.severity, description=DESCRIPTION, where=where, matter=matter
        )
        open_missing_case(act=act, alarm=alarm, name=name)
    _look_ahead(stage, told)


def _report(stage: Stage, told: Told) -> None:
    """What somebody reported, accepted by the duty officer; simulated, so that nobody takes it for real."""
    kind, story = stage.kind, told.story
    thing = min(stage.things.values(), key=lambda each: each.pk, default=None)
    near = (
        actions.Where(None, thing.division, _beside(thing.longitude, story), _beside(thing.latitude, story)) if thing else actions.Where()
    )
    matter = Matter(
        key=f"demo:{story.word}", case_kind=kind, title=story.title, severity="notice", arose_at=told.opened, origin="simulated",
        facts={"demo": story.word},
    )  # fmt: skip
    with acting(stage.people["duty_officer"], at=told.opened) as act:
        told.case = actions.open_case(
            act=act, kind=kind, title=story.title, severity="notice", description=REPORTED, where=near, matter=matter, source=story.source
        )
    _look_ahead(stage, told)


def _beside(degrees: float | None, story: Story) -> float | None:
    """Some hundred metres from a thing, so that pins do not lie on each other."""
    return None if degrees is None else degrees + 0.012 + 0.004 * (REPORTS.index(story) % 3)


def _make(stage: Stage, told: Told, step: Step, at: datetime) -> None:
    """One step by the person of its role."""
    assert told.case
    told.case.refresh_from_db()
    with acting(stage.people[step.role], at=at) as act:
        _carry_out(act, told.case, step, stage.people)
    _look_ahead(stage, told)


def _carry_out(act: Act, case: Case, step: Step, people: dict[str, Actor]) -> None:
    answers = dict(step.answers or {})
    match step.what:
        case "attach":
            actions.attach(act=act, case=case, stream=io.BytesIO(picture()), name="现场照片（示例）.png")
        case "pause":
            actions.pause_case(act=act, case=case, reason=answers["reason"], note="已取样送检，等待结果。（示例）")
        case "resume":
            actions.resume_case(act=act, case=case)
        case "ask_extension":
            actions.ask_case_extension(act=act, case=case, reason=answers["reason"])
        case "decide_extension":
            actions.decide_case_extension(act=act, case=case, **answers)
        case _:
            actions.move_case(act=act, case=case, move=step.what, answers=answers | _assigned(case, step.what, people))


def _assigned(case: Case, move: str, people: dict[str, Actor]) -> dict[str, Any]:
    """The answers that name who gets the case, and the photos that were attached."""
    match move:
        case "dispatch":
            return {"organization": people["handler"].organization, "person": people["handler"].id}
        case "handle":
            return {"photo": list(case.attachments.values_list("digest", flat=True))}
    return {}


def _clear(told: Told, cleared: datetime, at: datetime) -> None:
    assert told.case
    told.case.refresh_from_db()
    if told.case.closed_at is None:
        with acting(DEMO, at=at) as act:
            actions.clear_cause(act=act, case=told.case, at=cleared)


def _look_ahead(stage: Stage, told: Told) -> None:
    """The next moment at which the run needs attention by itself."""
    assert told.case
    run = Run.objects.get(subject_kind="case", subject_id=str(told.case.pk))
    if run.next_at and run.ended_at is None and run.next_at not in told.attended:
        told.attended.add(run.next_at)
        stage.at(run.next_at, lambda: _attend(stage, told, run, run.next_at))  # type: ignore[arg-type]


def _attend(stage: Stage, told: Told, run: Run, at: datetime) -> None:
    run.refresh_from_db()
    if run.next_at == at and run.ended_at is None:
        with acting(DEADLINES, at=at) as act:
            attend(act=act, run=run.pk)
    _look_ahead(stage, told)


def _mornings(first: datetime, now: datetime) -> list[datetime]:
    """Ten past midnight, China time, of each day after `first`."""
    at = first.astimezone(clock.CHINA).replace(hour=0, minute=10, second=0, microsecond=0) + timedelta(days=1)
    return [at + timedelta(days=n) for n in range(max((now - at).days + 1, 0))]
