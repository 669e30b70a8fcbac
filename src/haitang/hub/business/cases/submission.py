"""What a page sends about a case: read, tried, and either done or given back with what was typed and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from haitang.base.actions import Act, Actor, acting
from haitang.base.errors import HaitangError
from haitang.base.text import sentence_of, translate
from haitang.hub.business.cases import actions
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.queries import state_of_case
from haitang.hub.business.forms.kinds import Question
from haitang.hub.business.procedures.queries import questions_for


@dataclass(frozen=True)
class Submission:
    """What could not be done: the move or word, what was typed, the problem of each question and the sentence above them all."""

    what: str
    given: Mapping[str, Any]
    sentence: str
    status: int
    problems: Mapping[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)


def submit(request: HttpRequest, actor: Actor, case: Case, what: str) -> str | Submission:
    """Do it and give the sentence to tell; or a Submission to show again. Photos are attached first, so that a wrong answer loses none."""
    given = {name: value for name, value in request.POST.items() if name not in ("csrfmiddlewaretoken", "face", "kept")}
    kept = request.POST.getlist("kept")
    try:
        with acting(actor) as act:
            for file in (file for name in request.FILES for file in request.FILES.getlist(name)):
                kept.append(actions.attach(act=act, case=case, stream=file, name=file.name or "").digest)
        with acting(actor) as act:
            return _do(act, case, what, given, kept)
    except HaitangError as refused:
        problems = refused.data.get("by_question", {})
        sentence = translate("请先改正以下内容") if problems else sentence_of(refused)
        return Submission(what, given, sentence, refused.status, problems, kept)


def _do(act: Act, case: Case, what: str, given: Mapping[str, Any], kept: list[str]) -> str:
    match what:
        case "remark":
            actions.remark_case(act=act, case=case, text=given.get("text", ""))
            return translate("说明已添加")
        case "attach":
            return translate("附件已上传")
        case "pause":
            actions.pause_case(act=act, case=case, reason=given.get("reason", ""), note=given.get("note", ""))
            return translate("计时已暂停")
        case "resume":
            actions.resume_case(act=act, case=case)
            return translate("计时已恢复")
        case "extend":
            actions.ask_case_extension(act=act, case=case, reason=given.get("reason", ""))
            return translate("延期申请已提交")
        case "approve" | "refuse":
            actions.decide_case_extension(act=act, case=case, approved=what == "approve", reason=given.get("reason", ""))
            return translate("已批准延期") if what == "approve" else translate("未批准延期")
    return _move(act, case, what, given, kept)


def _move(act: Act, case: Case, move: str, given: Mapping[str, Any], kept: list[str]) -> str:
    declared = state_of_case(case).definition
    questions: Mapping[str, Question] = questions_for(declared, move) if move in declared.moves else {}
    answers = {name: kept if question.type == "photo" else given.get(name, "") for name, question in questions.items()}
    actions.move_case(act=act, case=case, move=move, answers=answers)
    return translate("已办理：{move}", move=translate(declared.moves[move].title))
