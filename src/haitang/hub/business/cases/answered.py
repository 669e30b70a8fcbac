"""What was answered when a case was opened by hand, as its page shows it."""

from typing import Any

from haitang.base.declarations import in_force
from haitang.base.text import translate
from haitang.hub.business.cases.kinds import CaseType
from haitang.hub.business.cases.models import Case
from haitang.hub.business.forms.kinds import Question
from haitang.hub.business.forms.queries import questions
from haitang.support.security.people.models import Organization, Person


def answered(case: Case) -> list[tuple[str, str]]:
    """(title, answer) in the order of the form; an answer whose question the form no longer has stands under its name."""
    declared, given = in_force().all(CaseType).get(case.case_kind), case.facts.get("answers", {})
    asked = questions([declared.form]) if declared and declared.form else {}
    names = [*(name for name in asked if name in given), *(name for name in given if name not in asked)]
    return [(asked[name].title if name in asked else name, said(asked.get(name), given[name])) for name in names]


def said(question: Question | None, answer: Any) -> str:
    """An answer in words: titles for choices, organizations and people."""
    if isinstance(answer, bool):
        return translate("是") if answer else translate("否")
    if isinstance(answer, list):
        return "、".join(said(question, each) for each in answer)
    kind = question.type if question else ""
    if question and str(answer) in question.choices:
        return translate(question.choices[str(answer)])
    if kind == "organization" and (organization := Organization.objects.filter(pk=answer).first()):
        return translate(organization.title)
    if kind == "person" and (person := Person.objects.filter(pk=answer).first()):
        return person.name
    return f"{answer} {question.unit}" if question and question.unit else str(answer)
