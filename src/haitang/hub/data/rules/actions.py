"""Writes about alarms."""

from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.db import transaction

from haitang.base import ports
from haitang.base.actions import Act, action
from haitang.base.durations import parse_span
from haitang.base.errors import HaitangError
from haitang.base.ports import Matter
from haitang.hub.data.rules.kinds import Rule
from haitang.hub.data.rules.machine import Episode, Transition
from haitang.hub.data.rules.models import Alarm
from haitang.hub.data.rules.watch import parse_watch

log = structlog.get_logger()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(micros: int | None) -> datetime | None:
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)


def matter_key(rule: str, thing: str) -> str:
    """What a case of this rule on this thing stands for while it is open."""
    return f"rule:{rule}:{thing}"


def carry_out(*, act: Act, rule: Rule, thing: str, name: str, transition: Transition, held: bool = False) -> Alarm | None:
    """Do what a transition of the machine asks; `name` is the thing's title, `held`: it is in maintenance. Gives the alarm as it stands then."""
    episode = transition.episode
    if transition.kind == "opened":
        return raise_alarm(act=act, rule=rule, thing=thing, name=name, episode=episode, held=held)
    alarm = Alarm.objects.filter(rule=rule.id, thing=thing, episode=episode.key).first()
    if alarm is None:
        log.error("rules.alarm_missing", rule=rule.id, thing=thing, episode=episode.key)
        return None
    if transition.kind == "cleared":
        return clear_alarm(act=act, alarm=alarm, episode=episode)
    if transition.kind == "corrected":
        return correct_alarm(act=act, alarm=alarm, episode=episode)
    return withdraw_alarm(act=act, alarm=alarm, reason="late data")


@action("alarm.raise", title="报警")
def raise_alarm(*, act: Act, rule: Rule, thing: str, name: str, episode: Episode, held: bool = False) -> Alarm:
    """Raise the alarm of an episode and open its case; a late one (`late`) waits until current data say that it still stands, a `held` one for the end of maintenance."""
    watch = parse_watch(rule.watches)
    alarm, _ = Alarm.objects.update_or_create(
        rule=rule.id, thing=thing, episode=episode.key,
        defaults={
            "title": rule.title, "property": watch.observed or "", "statistic": watch.statistic or "", "severity": rule.severity,
            "opened_at": instant(episode.opened), "raised_at": act.at, "value": episode.value, "cleared_at": None, "cleared_value": None,
            "withdrawn_at": None, "case_kind": rule.opens or "", "origin": episode.origin, "release": act.release, "held": held,
        },
    )  # fmt: skip
    act.record("alarm", str(alarm.id), {"rule": rule.id, "thing": thing, "opened_at": alarm.opened_at.isoformat(), "value": alarm.value,
                                        "severity": alarm.severity, "origin": alarm.origin, **({"held": True} if held else {})})  # fmt: skip
    if rule.opens and not held and not late(rule, alarm.opened_at, act.at):
        _open_case(act, alarm, name)
    _announce(act, alarm, "opened")
    return alarm


def late(rule: Rule, opened_at: datetime, now: datetime) -> bool:
    """Whether an alarm that began at `opened_at` became known too late, at `now`, to open a case by itself (docs/adr/0006)."""
    return now - opened_at > parse_span(rule.opens_within)


def _open_case(act: Act, alarm: Alarm, name: str) -> None:
    """A case that cannot be opened must not stop the other alarms: the clock tries again (`process`)."""
    matter = Matter(
        key=matter_key(alarm.rule, alarm.thing), case_kind=alarm.case_kind, title=f"{name}：{alarm.title}", severity=alarm.severity,
        arose_at=alarm.opened_at, thing=alarm.thing, alarm=str(alarm.id), origin=alarm.origin,
        facts={"rule": alarm.rule, "property": alarm.property, "statistic": alarm.statistic, "value": alarm.value},
    )  # fmt: skip
    try:
        with transaction.atomic():
            alarm.case = ports.matters().raise_matter(matter, act=act)
            alarm.save(update_fields=["case"])
    except HaitangError as reason:
        alarm.case = None
        log.error("rules.case_not_opened", alarm=str(alarm.id), rule=alarm.rule, reason=str(reason))


@action("alarm.open_case", title="为报警补立案件")
def open_missing_case(*, act: Act, alarm: Alarm, name: str) -> None:
    """Open the case of an alarm that has none yet."""
    _open_case(act, alarm, name)
    act.record("alarm", str(alarm.id), {"case": alarm.case})


@action("alarm.clear", title="解除报警")
def clear_alarm(*, act: Act, alarm: Alarm, episode: Episode) -> Alarm:
    """Clear an alarm; its case stays open and says so."""
    alarm.cleared_at, alarm.cleared_value = instant(episode.cleared), episode.cleared_value
    alarm.save(update_fields=["cleared_at", "cleared_value"])
    act.record("alarm", str(alarm.id), {"cleared_at": str(alarm.cleared_at), "value": alarm.cleared_value})
    _ended(act, alarm, "cleared")
    return alarm


@action("alarm.correct", title="更正报警")
def correct_alarm(*, act: Act, alarm: Alarm, episode: Episode) -> Alarm:
    """Late data moved an alarm: say what was said before."""
    was_open = alarm.cleared_at is None
    before = _said(alarm)
    alarm.opened_at, alarm.value = _EPOCH + timedelta(microseconds=episode.opened), episode.value
    alarm.cleared_at, alarm.cleared_value, alarm.origin = instant(episode.cleared), episode.cleared_value, episode.origin
    alarm.corrections = [*alarm.corrections, {"at": act.at.isoformat(), "before": before, "after": _said(alarm)}]
    alarm.save()
    act.record("alarm", str(alarm.id), {"before": before, "after": _said(alarm)})
    if was_open and alarm.cleared_at is not None:
        _ended(act, alarm, "cleared")
    else:
        _announce(act, alarm, "corrected")
    return alarm


@action("alarm.withdraw", title="撤回报警")
def withdraw_alarm(*, act: Act, alarm: Alarm, reason: str) -> Alarm:
    """Take an alarm back, visibly: late data disproved it, or its rule is gone."""
    was_open = alarm.cleared_at is None
    alarm.withdrawn_at = act.at
    alarm.corrections = [*alarm.corrections, {"at": act.at.isoformat(), "before": _said(alarm), "after": None, "reason": reason}]
    alarm.save(update_fields=["withdrawn_at", "corrections"])
    act.record("alarm", str(alarm.id), {"withdrawn_at": act.at.isoformat(), "reason": reason})
    if was_open:
        _ended(act, alarm, "withdrawn")
    else:
        _announce(act, alarm, "withdrawn")
    return alarm


def _said(alarm: Alarm) -> dict[str, Any]:
    return {"opened_at": alarm.opened_at.isoformat(), "value": alarm.value,
            "cleared_at": alarm.cleared_at.isoformat() if alarm.cleared_at else None}  # fmt: skip


def _ended(act: Act, alarm: Alarm, what: str) -> None:
    if alarm.case:
        ports.matters().note_cleared(matter_key(alarm.rule, alarm.thing), at=alarm.cleared_at or act.at, act=act)
    _announce(act, alarm, what)


def _announce(act: Act, alarm: Alarm, what: str) -> None:
    act.announce(
        "alarm",
        {"id": str(alarm.id), "event": what, "rule": alarm.rule, "title": alarm.title, "thing": alarm.thing, "severity": alarm.severity,
         "value": alarm.value, "opened_at": alarm.opened_at.isoformat(), "case": alarm.case, "origin": alarm.origin},
    )  # fmt: skip
