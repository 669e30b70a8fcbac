"""Prepares a small district for the browser tests: `python -m tests.browser.district` under an instance's environment.

Made-up people of every role, three weeks of simulated air data in the real lake, alarms, cases at every stage, sealed evidence.
"""

import math
import sys
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from haitang.base import clock
from haitang.base.actions import Actor, acting, system

PASSWORD = "browser-test-2026"
ROLES = (
    "dispatcher",
    "handler",
    "verifier",
    "department_head",
    "duty_officer",
    "auditor",
    "administrator",
    "security_administrator",
    "audit_administrator",
    "data_steward",
)
NAMES = {
    "dispatcher": "何派",
    "handler": "常处",
    "verifier": "高核",
    "department_head": "段主任",
    "duty_officer": "值守",
    "auditor": "沈计",
    "administrator": "关理",
    "security_administrator": "安平",
    "audit_administrator": "石严",
    "data_steward": "数管",
}
HOUR, DAYS = timedelta(hours=1), 21
LEVELS = {"pm2_5": 38.0, "pm10": 62.0, "so2": 8.0, "no2": 24.0, "co": 0.7, "o3": 90.0}
# A picture small enough to stand in a test: one white pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)


def main() -> None:
    from haitang.server.boot import boot

    boot()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    _release()
    people = _people()
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    _observe(now)
    with acting(system("rules")) as act:
        alarms = _alarms(act, now)
    _cases(people, alarms)
    _finish()


def _release() -> None:
    from haitang.base.declarations.actions import admit_release
    from haitang.server.declared import load, owners_with
    from haitang.server.release import current
    from haitang.server.seeding import seed

    load([])
    with acting(system("setup")) as act:
        admit_release(act=act, owners=owners_with(None))
        current.forget()
        seed(current(), act=act)


def _people() -> dict[str, Actor]:
    from haitang.support.security.people.actions import create_person, give_role
    from haitang.support.security.people.queries import actor_of, filling

    bureau = filling("ecology_bureau")
    found = {}
    with acting(system("setup")) as act:
        for role in ROLES:
            made = create_person(
                act=act, username=role, name=NAMES[role], organization=bureau.pk if bureau else None, password=PASSWORD, synthetic=True
            )
            give_role(act=act, person=made, role=role)
            found[role] = actor_of(made)
    return found


def _value(property: str, n: int, hour: datetime, station: int) -> float:
    """A daily wave with a slow one over it, and a foul night near the end."""
    wave = 1 + 0.35 * math.sin(hour.hour / 24 * 2 * math.pi + station) + 0.25 * math.sin(n / 60 + station)
    foul = 2.6 if property == "pm2_5" and station == 0 and 30 > DAYS * 24 - n > 18 else 1.0
    return round(LEVELS[property] * wave * foul, 2 if property == "co" else 1)


def _observe(now: datetime) -> None:
    from haitang.hub.data.lake.session import Session
    from haitang.support.infrastructure.stream.messages import Batch, Observation
    from haitang.support.infrastructure.things.models import Thing

    session, start, before = Session("browser-tests"), now - timedelta(days=DAYS), 0
    for sequence in range(DAYS):
        rows = []
        for n in range(sequence * 24, sequence * 24 + 24):
            hour = start + n * HOUR
            begin = int(hour.timestamp() * 1_000_000)
            for station, thing in enumerate(Thing.objects.order_by("pk").values_list("pk", flat=True)):
                for property in LEVELS:
                    rows.append(
                        Observation(
                            node="500111", thing=thing, property=property, statistic="mean", period_start=begin, period_end=begin + 3_600_000_000,
                            unit="mg/m3" if property == "co" else "ug/m3", quality="normal", origin="simulated", source_ref=f"browser-{n}",
                            received_at=begin + 3_660_000_000, number=_value(property, n, hour.astimezone(clock.CHINA), station),
                        )
                    )  # fmt: skip
        written = session.store(
            [(sequence + 1, Batch(id=f"browser-{sequence}", listener="test", received_at=begin, release="", observations=rows))]
        )
        session.follow(written, before)
        before = written.position
    session.upkeep(force=True)
    session.close()


def _alarms(act: Any, now: datetime) -> list[Any]:
    from haitang.base.declarations import in_force
    from haitang.hub.data.rules.actions import clear_alarm, raise_alarm
    from haitang.hub.data.rules.kinds import Rule
    from haitang.hub.data.rules.machine import Episode
    from haitang.support.infrastructure.things.models import Thing

    rule, found = in_force().get(Rule, "pm2_5_exceeds"), []
    thing = Thing.objects.order_by("pk")[0]
    for days in (9, 6, 4, 2, 1):
        opened = int((now - timedelta(days=days, hours=4)).timestamp() * 1_000_000)
        episode = Episode(key=opened, opened=opened, value=118.0 + days, origin="simulated")
        alarm = raise_alarm(act=act, rule=rule, thing=thing.pk, name=thing.title, episode=episode)
        found.append(alarm)
        if days > 1:
            clear_alarm(
                act=act,
                alarm=alarm,
                episode=Episode(
                    key=opened, opened=opened, value=120.0, origin="simulated", cleared=opened + 9_000_000_000, cleared_value=96.0
                ),
            )
    return found


def _cases(people: dict[str, Actor], alarms: list[Any]) -> None:
    """One case at each stage; those of cleared alarms went all the way."""
    from haitang.hub.business.cases.actions import open_case
    from haitang.hub.business.cases.models import Case

    with acting(people["dispatcher"]) as act:
        for title, severity in (
            ("龙岗街道工地扬尘反映（示例）", "serious"),
            ("棠香街道餐饮油烟反映（示例）", "notice"),
            ("玉龙镇露天焚烧反映（示例）", "critical"),
        ):
            open_case(act=act, kind="air_exceedance", title=title, severity=severity, description="群众来电反映，请到现场核实。")
    steps = [["dispatch"], ["dispatch", "handle"], ["dispatch", "handle", "accept"], ["dispatch", "handle", "return"]]
    for case, moves in zip(Case.objects.order_by("number"), [*steps, []], strict=False):
        for move in moves:
            _step(people, case, move)


def _step(people: dict[str, Actor], case: Any, move: str) -> None:
    from haitang.hub.business.cases.actions import attach, move_case

    who = people[{"dispatch": "dispatcher", "handle": "handler"}.get(move, "verifier")]
    with acting(who) as act:
        case.refresh_from_db()
        answers: dict[str, Any] = {
            "organization": people["handler"].organization,
            "note": "已到现场核实，责令停止作业并洒水降尘。",
            "reason": "现场照片不清楚，请补拍。",
        }
        if move == "handle":
            answers["photo"] = [attach(act=act, case=case, stream=BytesIO(PNG), name="现场.png").digest]
        asked = {"dispatch": ("organization",), "handle": ("note", "photo"), "return": ("reason",)}.get(move, ())
        move_case(act=act, case=case, move=move, answers={name: answers[name] for name in asked})


def _finish() -> None:
    from haitang.hub.data.indicators.refresh import refresh
    from haitang.support.security.evidence.sealing import seal_all

    refresh()
    seal_all()


if __name__ == "__main__":
    sys.exit(main())
