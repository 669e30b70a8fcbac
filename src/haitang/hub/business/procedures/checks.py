"""What `haitang check` says of a procedure: a run must be able to start, to go on from every stage, and to end."""

from collections.abc import Iterable, Iterator

from haitang.base.declarations.checks import Context, Problem, check
from haitang.base.durations import parse_limit
from haitang.hub.business.forms.queries import QUESTIONS_MISSING, find_questions
from haitang.hub.business.procedures import guards as guards  # registers its checks
from haitang.hub.business.procedures import tables as tables  # registers how spec tables of procedures are run
from haitang.hub.business.procedures.effects import effects
from haitang.hub.business.procedures.kinds import Procedure
from haitang.support.security.people.kinds import Role


@check(Procedure)
def stages_exist(procedure: Procedure, context: Context) -> Iterable[Problem]:
    """Every stage that is named is declared."""
    known = "、".join(procedure.stages)
    named = [
        ("start", procedure.start),
        *([("reports_start", procedure.reports_start)] if procedure.reports_start else []),
        *((f"stage_map.{old}", new) for old, new in procedure.stage_map.items()),
    ]
    for name, move in procedure.moves.items():
        named += [(f"moves.{name}.from", source) for source in move.sources] + [(f"moves.{name}.to", move.to)]
    for path, stage in named:
        if stage not in procedure.stages:
            yield Problem(path, "没有名为“{stage}”的环节", "写 stages 中的一个：{known}", data={"stage": stage, "known": known})


@check(Procedure)
def stages_reachable(procedure: Procedure, context: Context) -> Iterable[Problem]:
    """Every stage is reached from the start, and an end is reached from every stage."""
    steps = [(source, move.to) for move in procedure.moves.values() for source in move.sources]
    begun = _reached({procedure.start, procedure.reports_start or procedure.start}, steps)
    ending = _reached({name for name, stage in procedure.stages.items() if stage.end}, [(b, a) for a, b in steps])
    for name in procedure.stages:
        if name not in begun:
            yield Problem(f"stages.{name}", "从起始环节到不了这个环节", "加一个 to 为它的步骤，或删去它")
        elif name not in ending:
            yield Problem(f"stages.{name}", "从这个环节走不到结束环节", "加一个离开它的步骤，或写 end: true")


def _reached(start: set[str], steps: list[tuple[str, str]]) -> set[str]:
    found = set(start)
    while more := {b for a, b in steps if a in found} - found:
        found |= more
    return found


@check(Procedure)
def ends_stay_ended(procedure: Procedure, context: Context) -> Iterable[Problem]:
    """No move leaves an end, and an end has no limit."""
    ends = {name for name, stage in procedure.stages.items() if stage.end}
    for name, move in procedure.moves.items():
        for stage in ends.intersection(move.sources):
            yield Problem(f"moves.{name}.from", "“{stage}”是结束环节，不能再离开", "结束后需要重办的，另立一件", data={"stage": stage})
    for name in ends:
        if procedure.stages[name].within:
            yield Problem(f"stages.{name}.within", "结束环节不计时限", "删去 within")


@check(Procedure)
def separation_names_moves(procedure: Procedure, context: Context) -> Iterable[Problem]:
    """`not_by` names other moves."""
    for name, move in procedure.moves.items():
        for barred in move.barred:
            if barred not in procedure.moves or barred == name:
                yield Problem(f"moves.{name}.not_by", "没有名为“{move}”的其他步骤", "写 moves 中另一个步骤的名字", data={"move": barred})


@check(Procedure)
def questions_exist(procedure: Procedure, context: Context) -> Iterable[Problem]:
    """Each word under `asks` is a question of the form `moves` or the id of a form."""
    for name, move in procedure.moves.items():
        for number, word in enumerate(move.asks):
            if find_questions(context.declarations, word) is QUESTIONS_MISSING:
                yield Problem(
                    f"moves.{name}.asks.{number}",
                    "没有名为“{word}”的问题或表单",
                    "写平台表单 moves 中的问题，或一个表单的名字",
                    data={"word": word},
                )


@check(Procedure)
def effects_exist(procedure: Procedure, context: Context) -> Iterable[Problem]:
    """Each word under `does` is registered, and `assigns` has asked for the organization."""
    for name, move in procedure.moves.items():
        words = [word for word, _ in move.effects]
        for number, word in enumerate(words):
            if word not in effects:
                yield Problem(
                    f"moves.{name}.does.{number}",
                    "没有登记名为“{word}”的效果",
                    "可用：{known}",
                    data={"word": word, "known": "、".join(sorted(effects))},
                )
        if "assigns" in words and "organization" not in move.asks:
            yield Problem(f"moves.{name}.does", "assigns 需要知道派给哪个单位", "在 asks 中加上 organization")
        for role in (argument for word, argument in move.effects if word == "notifies"):
            if role not in context.all(Role):
                yield Problem(
                    f"moves.{name}.does",
                    "notifies 的“{role}”不是角色",
                    "可用：{known}",
                    data={"role": role, "known": "、".join(context.all(Role))},
                )


@check(Procedure)
def escalations_speak(procedure: Procedure, context: Context) -> Iterable[Problem]:
    """An escalation says when, and there is a deadline that it is about."""
    timed = procedure.limits or any(stage.within for stage in procedure.stages.values())
    for number, escalation in enumerate(procedure.escalations):
        if bool(escalation.before) == bool(escalation.after):
            yield Problem(f"escalations.{number}", "before 和 after 写且只写一个", "before: 1 working hour 或 after: 1 working day")
        if not timed:
            yield Problem(f"escalations.{number}", "流程没有任何时限，提醒不会发出", "给环节写 within，或写 limits")


@check(Procedure)
def limits_are_dated_apart(procedure: Procedure, context: Context) -> Iterable[Problem]:
    """Two legal limits do not begin on the same day, and an extension has one to extend, on the same clock."""
    days = [limit.from_ for limit in procedure.limits]
    for number, day in enumerate(days):
        if day in days[:number]:
            yield Problem(f"limits.{number}.from", "{day} 起已有另一项期限", "改成它真正施行的日期", data={"day": day.isoformat()})
    yield from _extension(procedure)


def _extension(procedure: Procedure) -> Iterator[Problem]:
    if procedure.extension is None:
        return
    clocks = {parse_limit(limit.within).clock for limit in procedure.limits}
    if not clocks:
        yield Problem("extension", "流程没有法定时限，无从延期", "写 limits，或删去 extension")
    elif parse_limit(procedure.extension.at_most).clock not in clocks:
        yield Problem("extension.at most", "延期与法定时限不是同一种时钟", "用法定时限的单位来写")
