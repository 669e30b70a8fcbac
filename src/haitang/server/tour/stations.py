"""The stations of the tour, from a packet to a closed case. Each returns its figures or raises NotHeld."""

import asyncio
from datetime import timedelta
from typing import Any

from haitang.base import clock
from haitang.base.declarations.owners import place_folder
from haitang.base.settings import settings
from haitang.hub.data.lake import queries as lake
from haitang.server.tour import personas
from haitang.server.tour.context import Context, wait_for
from haitang.server.tour.photo import photo
from haitang.server.tour.report import NotHeld
from haitang.server.tour.stretch import Stretch, find
from haitang.support.infrastructure.listeners.hj212.replay import Player, load
from haitang.support.infrastructure.listeners.hj212.replaying import players

HOUR = timedelta(hours=1)
INDICATOR = "case_on_time"


def observed(context: Context) -> dict[str, Any]:
    """A station sends the recorded hours as HJ 212 packets and is answered for each."""
    stretch = find(load(place_folder(settings().place) / "replay" / "air.csv.gz"))
    player = players("127.0.0.1", context.instance.hj212)[0]
    last = clock.now().replace(minute=0, second=0, microsecond=0)
    start = last - len(stretch.hours) * HOUR
    answered = asyncio.run(_send(player, stretch, start))
    context.rule, context.period = stretch.rule.id, (start, last)
    context.sent_values = sum(len(_codes(player, values)) for values in stretch.hours)
    if answered != len(stretch.hours):
        raise NotHeld("not every packet was answered", packets=len(stretch.hours), answered=answered)
    return {"mn": player.station.mn, "packets": len(stretch.hours), "answered": answered, "values": context.sent_values, "origin": "replay"}


def _codes(player: Player, values: dict[str, float]) -> dict[str, float]:
    return {player.codes[name]: value for name, value in values.items() if name in player.codes}


async def _send(player: Player, stretch: Stretch, start: Any) -> int:
    async with player.station as station:
        for number, values in enumerate(stretch.hours):
            await station.hour(start + number * HOUR, _codes(player, values))
        return station.answered


def stored(context: Context) -> dict[str, Any]:
    """What was acknowledged is in the lake, once, marked replay, each row in a sealed block."""
    period = list(context.period or ())
    sql = (
        "select count(*) as rows, count(distinct (thing, property, statistic, period_start, source_ref)) as distinct_rows,"
        " count(*) filter (where origin = 'replay') as replay, count(*) filter (where block is not null) as in_block"
        " from observations where period_start >= ? and period_end <= ?"
    )
    found = wait_for("observations in the lake", lambda: _enough(lake.query(sql, period)[0], context.sent_values))
    figures = {"acknowledged": context.sent_values, **found}
    if len({*figures.values()}) != 1:
        raise NotHeld("acknowledged, stored, distinct, replayed and covered rows differ", **figures)
    return figures


def _enough(row: dict[str, Any], wanted: int) -> dict[str, Any] | None:
    return row if row["rows"] >= wanted else None


def alarmed(context: Context) -> dict[str, Any]:
    """The rule raised one alarm at the end of the stretch."""
    context.people["dispatcher"] = dispatcher = personas.make(context.instance.url, "dispatcher")
    alarms = wait_for("alarm", lambda: dispatcher.get("/api/alarms", rule=context.rule)["items"])
    if len(alarms) != 1:
        raise NotHeld("more than one alarm", alarms=len(alarms))
    context.alarm = alarms[0]
    shown = ("rule", "thing", "property", "value", "severity", "origin", "opened_at")
    return {name: context.alarm.get(name) for name in shown}


def case_opened(context: Context) -> dict[str, Any]:
    """The alarm opened one case, which the responsible organization has."""
    dispatcher = context.people["dispatcher"]
    found = wait_for("case", lambda: dispatcher.get("/api/cases", thing=context.alarm["thing"])["cases"])
    context.case = found[0]
    before = {shown["id"]: shown for shown in dispatcher.get("/api/indicators")}
    context.indicator_before = (before.get(INDICATOR) or {}).get("value")
    if len(found) != 1 or context.case["origin"] != "replay":
        raise NotHeld("not one case marked replay", cases=len(found), origin=context.case["origin"])
    shown = ("number", "kind", "severity", "organization", "stage", "stage_due_at", "due_at", "provisional")
    return {name: context.case[name] for name in shown}


def dispatched(context: Context) -> dict[str, Any]:
    """The dispatcher gives it to the organization that it goes to."""
    organization = context.case["organization"]
    context.people["handler"] = handler = personas.make(context.instance.url, "handler", organization)
    context.people["verifier"] = personas.make(context.instance.url, "verifier")
    context.case = _move(context, "dispatcher", "dispatch", organization=organization, person=handler.id)
    return {"stage": context.case["stage"], "handler": context.case["handler"], "stage_due_at": context.case["stage_due_at"]}


def handled(context: Context) -> dict[str, Any]:
    """The handler attaches a photo and says what was done; their own work they may not verify."""
    kept = context.people["handler"].upload(f"{context.case_path}/attachments", "photo.png", photo())
    context.case = _move(context, "handler", "handle", note="已到现场核查，周边两处工地已落实洒水和覆盖。（示例）", photo=[kept["digest"]])
    status, answer = context.people["handler"].status_of(f"{context.case_path}/moves", {"move": "accept"})
    if status != 403 and answer.get("code") != "procedures.refused":
        raise NotHeld("the handler could verify their own work", status=status, answer=answer)
    return {"stage": context.case["stage"], "photo": kept["digest"][:12], "own_verification": f"refused ({status})"}


def verified(context: Context) -> dict[str, Any]:
    """Another person verifies it."""
    context.case = _move(context, "verifier", "accept")
    entries = context.people["dispatcher"].get(context.case_path)["timeline"]
    moves = [(entry["title"], entry["actor_name"]) for entry in entries if entry["kind"] == "moved"]
    if len(moves) != 3 or moves[-1][1] == moves[-2][1]:
        raise NotHeld("the same person handled and verified", moves=moves)
    return {"moves": [title for title, _ in moves], "people": len({who for _, who in moves})}


def closed(context: Context) -> dict[str, Any]:
    """It is closed inside its legal deadline."""
    case = context.people["dispatcher"].get(context.case_path)
    figures = {name: case[name] for name in ("number", "stage", "opened_at", "closed_at", "due_at", "closed_on_time")}
    if not case["closed_on_time"] or not case["closed_at"]:
        raise NotHeld("not closed inside its deadline", **figures)
    return figures


def indicator_moved(context: Context) -> dict[str, Any]:
    """The on-time rate counts the case, and its drill-down names it."""
    dispatcher = context.people["dispatcher"]

    def moved() -> Any:
        found = dispatcher.get(f"/api/indicators/{INDICATOR}")
        return found if found.get("value") not in (None, context.indicator_before) else None

    found = wait_for("indicator", moved, seconds=150, before=context.indicator_before)
    rows = dispatcher.get(f"/api/indicators/{INDICATOR}/records")
    if context.case["number"] not in {row.get("number") for row in rows}:
        raise NotHeld("the drill-down does not name the case", rows=len(rows))
    shown = ("value", "unit", "target", "at")
    return {"indicator": INDICATOR, "before": context.indicator_before, **{name: found.get(name) for name in shown}, "records": len(rows)}


def _move(context: Context, role: str, move: str, **answers: Any) -> Any:
    return context.people[role].post(f"{context.case_path}/moves", {"move": move, "answers": answers})
