"""Spec tables of procedures.

    procedure: site_inspection
    started: 2026-11-23 09:00
    given: |
      at                move      by
      2026-11-23 09:10  dispatch  li/dispatcher
      2026-11-23 10:00  handle    wang/handler
      2026-11-23 10:05  accept    wang/verifier
    expect: |
      at                stage       due               legal             refused
      2026-11-23 09:10  dispatched  2026-11-23 14:10  2026-11-25 18:00  -
      2026-11-23 10:05  handled     -                 2026-11-25 18:00  own_work

Under `move` also: `pause:REASON`, `resume`, `extend:2_working_days`, `approve`, `decline`, and `learn:case.cause_cleared=yes`. `by` is person/role, with
`@organization` where it matters (default: the one that the matter is assigned to; an organization role is filled by the organization of that name).
A column `answers` gives answers that conditions ask about (`result=solved;amount=3`), the key `facts` the words at the start (`{case.severity: serious}`), `report: true` a report that must first be filed. Under `expect` a column may be left out; `refused` names one reason's code.
Times are China's civil time.
"""

from datetime import datetime
from typing import Any

from haitang.base.actions import Actor
from haitang.base.clock import CHINA
from haitang.base.declarations.spec import Failure, Row, SpecTable, spec
from haitang.hub.business.procedures.decide import Allowed, Refused, Verdict
from haitang.hub.business.procedures.engine import State
from haitang.hub.business.procedures.kinds import Procedure
from haitang.hub.business.procedures.rehearsal import Rehearsal
from haitang.support.standards.calendar import working_calendar
from haitang.support.standards.clocks import Deadline
from haitang.support.standards.kinds import Calendar

HERE = "assigned"


@spec("procedure")
def run_procedure(declared: Procedure, table: SpecTable) -> list[Failure]:
    """Rehearse the moves of `given`; compare the state after the moves up to each row of `expect`."""
    calendar = next(iter(table.declarations.all(Calendar).values()), Calendar(title="周末休息"))
    started = _at(str(table.options.get("started") or (table.given.rows or table.expect.rows)[0]["at"]))
    run = Rehearsal(declared, working_calendar(calendar), started, HERE, table.options.get("facts"), bool(table.options.get("report")))
    steps, failures = list(table.given.rows), []
    verdict: Verdict = Allowed()
    for number, wanted in enumerate(table.expect.rows):
        at = _at(str(wanted["at"]))
        while steps and _at(str(steps[0]["at"])) <= at:
            verdict = _step(run, steps.pop(0))
        failures += [Failure(message, number) for message in _compare(wanted, run.reach(at), verdict)]
        verdict = Allowed()
    return failures


def _at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=CHINA)


def _actor(written: str) -> Actor:
    name, _, role = written.partition("/")
    role, _, organization = role.partition("@")
    return Actor("staff", name, name, organization or HERE, frozenset({role or name}))


def _step(run: Rehearsal, row: Row) -> Verdict:
    at, actor = _at(str(row["at"])), _actor(str(row["by"]))
    word, _, argument = str(row["move"]).partition(":")
    match word:
        case "pause":
            return run.pause(argument, actor, at)
        case "resume":
            return run.resume(actor, at)
        case "extend":
            return run.ask_extension(argument.replace("_", " "), actor, at)
        case "approve" | "decline":
            return run.decide_extension(word == "approve", actor, at)
        case "learn":
            run.learn(_answers(argument), at)
            return Allowed()
    return run.move(word, actor, at, {"organization": HERE, **_answers(str(row.get("answers") or ""))})


def _answers(written: str) -> dict[str, Any]:
    """`result=solved;amount=3` -> answers; yes, no and numbers as such."""
    found: dict[str, Any] = {}
    for name, _, value in (each.partition("=") for each in written.split(";") if each):
        number = value.lstrip("-").replace(".", "", 1).isdigit()
        found[name] = float(value) if number else {"yes": True, "no": False}.get(value, value)
    return found


def _compare(wanted: Row, state: State, verdict: Verdict) -> list[str]:
    refused = verdict.codes if isinstance(verdict, Refused) else set()
    found = {"stage": state.stage, "due": _said(state.stage_due), "legal": _said(state.legal_due)}
    names = {"stage": "环节", "due": "环节期限", "legal": "法定期限"}
    wrong = [f"{names[key]}应为 {wanted[key]}，实为 {found[key]}" for key in names if key in wanted and wanted[key] != found[key]]
    if "refused" in wanted and (wanted["refused"] not in refused if wanted["refused"] else refused):
        wrong.append(f"拒绝理由应为 {wanted['refused']}，实为 {'、'.join(sorted(refused)) or None}")
    return wrong


def _said(due: Deadline | None) -> str | None:
    return due.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M") if due else None
