"""Answers against their questions: what was given becomes what is kept, or a clear error per question. Pure."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from haitang.base.durations import parse_limit
from haitang.base.errors import error
from haitang.base.text import translate
from haitang.hub.business.forms.kinds import Question

BAD_ANSWERS = error("forms.bad_answers", 422, "请检查填写内容：{problems}")

_DIGEST = re.compile(r"^[0-9a-f]{64}$")
_LONGEST = 64


@dataclass(frozen=True)
class Problem:
    """What is wrong with the answer to one question; `text` is a text of the catalogue with places for `data`."""

    question: str
    title: str
    text: str
    data: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{translate(self.title)}：{self.said}"

    @property
    def said(self) -> str:
        """What is wrong, in the reader's language."""
        return translate(self.text, **self.data)


class _Bad(Exception):
    def __init__(self, text: str, **data: Any) -> None:
        super().__init__(text)
        self.text, self.data = text, data


def read_answers(questions: Mapping[str, Question], given: Mapping[str, Any]) -> dict[str, Any]:
    """Clean answers by question name (absent where an optional one is empty); raises BAD_ANSWERS naming every problem at once.

    Kept as: text str, number int or float, date ISO 8601, choice its word, organization and person their id, photo a list of file digests, limit as written.
    """
    found: dict[str, Any] = {}
    problems = [Problem(name, name, "没有这个问题", {}) for name in given if name not in questions]
    for name, question in questions.items():
        try:
            value = _read(question, given.get(name))
        except _Bad as bad:
            problems.append(Problem(name, question.title, bad.text, bad.data))
        else:
            if value is not None:
                found[name] = value
    if problems:
        by_question = {problem.question: problem.said for problem in problems}
        raise BAD_ANSWERS(problems="；".join(map(str, problems)), by_question=by_question)
    return found


def _read(question: Question, given: Any) -> Any:
    if isinstance(given, str):
        given = given.strip()
    if given is None or given == "" or given == []:
        if question.required:
            raise _Bad("请填写")
        return None
    return _READERS[question.type](question, given)


def _text(question: Question, given: Any) -> str:
    if not isinstance(given, str):
        raise _Bad("应为文字")
    if "\x00" in given:
        raise _Bad("含有不能保存的字符")
    if len(given) > question.max_length:
        raise _Bad("最多 {most} 字，现有 {length} 字", most=question.max_length, length=len(given))
    return given


def readable(given: str, title: str, *, required: bool = False, most: int = 2000) -> str:
    """A text that a person wrote outside a form, without blanks around it; raises BAD_ANSWERS where it cannot be kept."""
    try:
        return str(_read(Question(title=title, type="long text", required=required, max_length=most), given) or "")
    except _Bad as bad:
        raise BAD_ANSWERS(problems=str(Problem(title, title, bad.text, bad.data)), by_question={}) from None


def _number(question: Question, given: Any) -> int | float:
    try:
        number = float(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _Bad("应为数字")
    return int(number) if number.is_integer() else number


def _date(question: Question, given: Any) -> str:
    try:
        return date.fromisoformat(given).isoformat()
    except (TypeError, ValueError):
        raise _Bad("应为日期，如 2026-03-01") from None


def _choice(question: Question, given: Any) -> str:
    if not isinstance(given, str) or given not in question.choices:
        raise _Bad("请从 {choices} 中选择", choices="、".join(question.choices.values()))
    return given


def _reference(question: Question, given: Any) -> str:
    if not isinstance(given, str) or len(given) > _LONGEST or "\x00" in given:
        raise _Bad("请从列表中选择")
    return given


def _photo(question: Question, given: Any) -> list[str]:
    files = [given] if isinstance(given, str) else given
    if not isinstance(files, list) or not all(isinstance(file, str) and _DIGEST.match(file) for file in files):
        raise _Bad("请先上传照片")
    return files


def _limit(question: Question, given: Any) -> str:
    try:
        return parse_limit(given).written
    except (TypeError, ValueError):
        raise _Bad("应为时限，如 2 working days") from None


_READERS: dict[str, Callable[[Question, Any], Any]] = {
    "text": _text, "long text": _text, "number": _number, "date": _date, "choice": _choice,
    "organization": _reference, "person": _reference, "photo": _photo, "limit": _limit,
}  # fmt: skip
