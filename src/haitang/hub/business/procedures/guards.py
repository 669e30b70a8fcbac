"""What `haitang check` says of moves with a condition, moves that go by themselves, and moves that several must answer."""

from collections.abc import Iterable, Iterator

from haitang.base.declarations.checks import Context, Problem, check
from haitang.base.declarations.references import registered as word_lists
from haitang.hub.business.forms.kinds import Question
from haitang.hub.business.forms.queries import find_questions
from haitang.hub.business.procedures.condition import Compared, parse
from haitang.hub.business.procedures.kinds import Move, Procedure
from haitang.hub.business.procedures.words import words
from haitang.support.security.people.kinds import Role

ORGANIZATION_ROLE = "organization role"


@check(Procedure)
def conditions_ask_what_is_known(procedure: Procedure, context: Context) -> Iterable[Problem]:
    """Each word of an `if` is registered, or a question that some move asks; what it is compared with is among its choices."""
    asked: dict[str, Question] = {}
    for move in procedure.moves.values():
        for word in move.asks:
            asked |= find_questions(context.declarations, word)
    for name, move in procedure.moves.items():
        for compared in parse(move.if_).compared if move.if_ else ():
            yield from _compared(f"moves.{name}.if", compared, asked)


def _compared(path: str, compared: Compared, asked: dict[str, Question]) -> Iterator[Problem]:
    known, question = words.get(compared.word), asked.get(compared.word.removeprefix("answers."))
    if known is None and not (question and compared.word.startswith("answers.")):
        every = "、".join([*words, *(f"answers.{name}" for name in asked)])
        yield Problem(path, "条件问的“{word}”没有人知道", "可用：{known}", data={"word": compared.word, "known": every})
        return
    yes_no = known is not None and known.type == "yes or no"
    if yes_no != (not compared.values) and not (yes_no and all(isinstance(value, bool) for value in compared.values)):
        yield Problem(path, "“{word}”不能这样比较", "是否类的词单独写，其他词写成 {word} == '…'", data={"word": compared.word})
    choices = known.choices if known else tuple(question.choices) if question else ()
    for value in compared.values if choices else ():
        if value not in choices:
            data = {"word": compared.word, "value": value, "known": "、".join(choices)}
            yield Problem(path, "“{word}”不会是“{value}”", "可用：{known}", data=data)


@check(Procedure)
def what_goes_by_itself_can_go(procedure: Procedure, context: Context) -> Iterable[Problem]:
    """A move without people says when it goes, needs no answer, and never goes round for ever."""
    for name, move in procedure.moves.items():
        if not move.roles and move.after is None and move.if_ is None:
            yield Problem(f"moves.{name}", "这一步没有人办理，也没有写何时自动办理", "写 by，或写 after、if")
        if move.by_itself:
            yield from _nobody_answers(f"moves.{name}", move, context)
    yield from _circles(procedure)


def _nobody_answers(path: str, move: Move, context: Context) -> Iterator[Problem]:
    if "assigns" in [word for word, _ in move.effects]:
        yield Problem(f"{path}.does", "自动办理时没有人填写派给哪个单位，不能 assigns", "由人办理，或去掉 assigns")
    if not move.roles and (move.asks or move.only or move.barred):
        yield Problem(path, "这一步没有人办理，asks、only 和 not_by 没有意义", "去掉它们，或写 by")


def _circles(procedure: Procedure) -> Iterator[Problem]:
    """Moves that go as soon as their `if` is true, one after another, back to where they began."""
    steps = {name: move for name, move in procedure.moves.items() if not move.roles and move.after is None}
    for name, move in steps.items():
        reached, fresh = set[str](), {move.to}
        while fresh:
            reached |= fresh
            fresh = {step.to for step in steps.values() if reached.intersection(step.sources)} - reached
        if reached.intersection(move.sources):
            yield Problem(f"moves.{name}", "自动办理的步骤会绕圈，永远停不下来", "让其中一步由人办理，或给它写 after")


@check(Procedure)
def those_who_answer_exist(procedure: Procedure, context: Context) -> Iterable[Problem]:
    """Each word under `each` is a role or an organization role; the latter needs `by`: who answers for the organization."""
    filled = word_lists.get(ORGANIZATION_ROLE)
    known = set(filled.function(context.declarations)) if filled else set[str]()
    for name, move in procedure.moves.items():
        for number, part in enumerate(move.each):
            if part in context.all(Role):
                continue
            if known and part not in known:
                data = {"part": part, "known": "、".join([*context.all(Role), *sorted(known)])}
                yield Problem(f"moves.{name}.each.{number}", "“{part}”不是角色，也不是单位角色", "可用：{known}", data=data)
            elif not move.by:
                yield Problem(f"moves.{name}.by", "没有写由单位中的什么角色答复", "写 by: handler 这样的角色")
        if move.each and (len(move.each) != len(set(move.each)) or "assigns" in [word for word, _ in move.effects]):
            yield Problem(f"moves.{name}.each", "各方只写一次，而且几方一起办理的步骤不能 assigns", "去掉重复的一方，另写一步来派遣")
