"""Reads: the questions that a word under `asks` means."""

from collections.abc import Iterable, Mapping

from haitang.base.declarations import Declarations, in_force
from haitang.hub.business.forms.kinds import Form, Question

PLATFORM_FORM = "moves"
QUESTIONS_MISSING: dict[str, Question] = {}


def find_questions(declarations: Declarations, word: str) -> Mapping[str, Question]:
    """Questions by name: one of the platform's own form `moves`, or all of the form `word`; QUESTIONS_MISSING (by identity) where neither exists."""
    forms = declarations.all(Form)
    platform = forms.get(PLATFORM_FORM)
    if platform and word in platform.questions:
        return {word: platform.questions[word]}
    return forms[word].questions if word in forms else QUESTIONS_MISSING


def questions(words: Iterable[str]) -> dict[str, Question]:
    """The questions in force that `words` mean, in the order they are asked."""
    found: dict[str, Question] = {}
    for word in words:
        found |= find_questions(in_force(), word)
    return found
