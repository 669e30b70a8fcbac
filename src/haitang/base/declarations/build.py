"""From raw declarations to models: the second phase. What pydantic refuses is said in our words, at the key where it stands."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from haitang.base.declarations import faults
from haitang.base.declarations.checks import Problem
from haitang.base.declarations.files import Raw
from haitang.base.declarations.model import Declaration, Origin
from haitang.base.declarations.positions import KeyPath, dotted
from haitang.base.declarations.walk import keys_at

_REASONS = {
    "string_type": "应当是文字；数字样的文字请加引号",
    "string_too_short": "不能为空",
    "string_too_long": "太长，最多 {max_length} 个字",
    "string_pattern_mismatch": "写法应符合 {pattern}",
    "int_type": "应当是整数",
    "int_parsing": "应当是整数",
    "int_from_float": "应当是整数",
    "float_type": "应当是数",
    "float_parsing": "应当是数",
    "bool_type": "应当是 true 或 false",
    "bool_parsing": "应当是 true 或 false",
    "list_type": "应当是列表",
    "tuple_type": "应当是列表",
    "dict_type": "应当是“键: 值”的映射",
    "model_type": "应当是“键: 值”的映射",
    "model_attributes_type": "应当是“键: 值”的映射",
    "literal_error": "可用的有 {expected}",
    "greater_than": "应当大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "应当小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "date_type": "应当是日期，如 2026-03-01",
    "date_parsing": "应当是日期，如 2026-03-01",
    "date_from_datetime_parsing": "应当是日期，如 2026-03-01",
    "too_short": "至少要有 {min_length} 项",
    "too_long": "至多只能有 {max_length} 项",
    "missing": "列表中的项不够",
}


def build(raw: Raw) -> tuple[Declaration | None, list[Problem]]:
    """The declaration, or what is wrong with it."""
    if not isinstance(raw.data, dict):
        return None, [place(faults.NOT_A_MAPPING.problem(), raw, ())]
    try:
        declared = raw.kind.model.model_validate(_marked(raw))
    except ValidationError as refused:
        return None, _problems(raw, refused.errors(include_url=False, include_context=True))
    except (RecursionError, TypeError, ValueError, ArithmeticError) as trouble:
        return None, [place(faults.BAD_VALUE.problem(value=raw.id, reason=str(trouble)), raw, ())]
    declared._id = raw.id
    declared._origin = Origin(raw.owner.name, raw.start.file, raw.owner.where == "provisional")
    return declared, []


def _marked(raw: Raw) -> Any:
    """What is provisional says so in its title, and thereby on every page, in every export and in JSON."""
    title = raw.data.get("title")
    return {**raw.data, "title": f"{title}（暂定）"} if raw.owner.where == "provisional" and isinstance(title, str) and title else raw.data


def place(problem: Problem, raw: Raw, path: KeyPath) -> Problem:
    """Say where a problem of a declaration stands."""
    at = raw.at(path)
    return problem.located(key_path=problem.key_path or dotted(path), file=at.file, line=at.line, column=at.column, declaration=raw.name)


def path_in(data: Any, written: Iterable[str | int]) -> KeyPath:
    """The key path of pydantic's `loc` in the data: without its names of union members."""
    path: list[str | int] = []
    for part in written:
        if isinstance(data, list) and isinstance(part, int) and part < len(data):
            path.append(part)
            data = data[part]
        elif isinstance(data, dict):
            key = next((key for key in data if str(key) == str(part)), None)
            if key is not None:
                path.append(key)
                data = data[key]
    return tuple(path)


def _problems(raw: Raw, errors: list[ErrorDetails]) -> list[Problem]:
    """One problem a key: members of a union that refuse the same value are joined."""
    found: dict[tuple[str, KeyPath], list[Problem]] = {}
    for error in errors:
        path = path_in(raw.data, error["loc"])
        problem = _problem(raw, error, path)
        found.setdefault((problem.code, (*path, problem.key_path)), []).append(problem)
    return [_joined(same) for same in found.values()]


def _joined(same: list[Problem]) -> Problem:
    reasons = dict.fromkeys(str(problem.data["reason"]) for problem in same if "reason" in problem.data)
    if len(reasons) < 2:
        return same[0]
    return same[0].located(data={**same[0].data, "reason": "，或者".join(reasons)})


def _problem(raw: Raw, error: ErrorDetails, path: KeyPath) -> Problem:
    if error["type"] == "extra_forbidden":
        allowed = keys_at(raw.kind.model, path[:-1])
        return place(faults.UNKNOWN_KEY.problem(key=str(path[-1]), near=nearest(str(path[-1]), allowed)), raw, path)
    key = error["loc"][-1] if error["loc"] else ""
    if error["type"] == "missing" and isinstance(key, str):
        expected = "必须写的键：" + "、".join(_required(raw, path) or [key])
        return place(faults.MISSING_KEY.problem(dotted((*path, key)), key=key, expected=expected), raw, path)
    return place(faults.BAD_VALUE.problem(value=brief(error["input"]), reason=_reason(error)), raw, path)


def _reason(error: ErrorDetails) -> str:
    sentence = _REASONS.get(error["type"])
    context = error.get("ctx", {})
    if sentence is not None:
        return sentence.format_map({name: str(value) for name, value in context.items()} | {"pattern": context.get("pattern", "")})
    return str(context.get("error", error["msg"]))


def _required(raw: Raw, path: KeyPath) -> list[str]:
    if path:
        return []
    return [info.alias or name for name, info in raw.kind.model.model_fields.items() if info.is_required() and name not in ("sql", "cedar")]


def brief(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def nearest(word: str, known: Iterable[str], show: int = 8) -> str:
    """A hint: the word that was probably meant, else those there are."""
    names = sorted(set(known))
    close = get_close_matches(word, names, 1, 0.6)
    if close:
        return f"是不是 {close[0]}"
    if not names:
        return "这里还没有可用的"
    return "可用的有：" + "、".join(names[:show]) + (" 等" if len(names) > show else "")
