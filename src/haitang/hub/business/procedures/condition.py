"""The condition language of procedures: `case.severity in ['serious', 'critical'] and not case.cause_cleared`, `answers.result == 'solved'`.

Like the conditions of rules it is Python's grammar held against an allow-list and compiled to closures; nothing is evaluated as code. Logic has three
values: a comparison with a word that has no value yet is neither true nor false, and only a condition that is true lets a move go.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from haitang.hub.data.rules.condition import all_of

ALLOWED = "allowed are words such as case.severity and answers.result, texts, numbers, yes, no, == != < <= > >= in, and, or, not"
LONGEST = 1000

Truth = bool | None
Facts = Mapping[str, Any]
Evaluate = Callable[[Facts], Any]


class ConditionError(ValueError):
    """A condition that does not follow the language; the message says what, where and what is allowed."""


@dataclass(frozen=True)
class Compared:
    """A word and the constants that it is compared with; none where it stands alone, as a yes or no."""

    word: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Condition:
    """A compiled condition. `compared`: every word that it asks about."""

    text: str
    evaluate: Callable[[Facts], Truth]
    compared: tuple[Compared, ...]

    def holds(self, facts: Facts) -> bool:
        return self.evaluate(facts) is True


_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_MEMBERSHIP = (ast.In, ast.NotIn)
_YES_NO = {"yes": True, "no": False}


class _Compiler:
    def __init__(self, text: str) -> None:
        self.text, self.source, self.compared = text, text.strip(), list[Compared]()

    def wrong(self, node: ast.AST, what: str) -> ConditionError:
        return ConditionError(f"{what} at `{ast.get_source_segment(self.source, node) or self.source}` in `{self.text}`; {ALLOWED}")

    def compile(self) -> Condition:
        if len(self.text) > LONGEST:
            raise ConditionError(f"a condition has at most {LONGEST} characters; {ALLOWED}")
        try:
            evaluate = self.truth(ast.parse(self.source, mode="eval").body)
        except (SyntaxError, RecursionError, MemoryError):
            raise ConditionError(f"cannot read `{self.text}`; {ALLOWED}") from None
        return Condition(self.text, evaluate, tuple(self.compared))

    def truth(self, node: ast.expr) -> Evaluate:
        """A part that must be true or false."""
        if isinstance(node, ast.BoolOp):
            parts = [self.truth(value) for value in node.values]
            if isinstance(node.op, ast.And):
                return lambda facts: all_of([part(facts) for part in parts])
            return lambda facts: _not(all_of([_not(part(facts)) for part in parts]))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            part = self.truth(node.operand)
            return lambda facts: _not(part(facts))
        if isinstance(node, ast.Compare):
            return self.comparison(node)
        name = self.word(node)
        self.compared.append(Compared(name))
        return lambda facts: value if isinstance(value := facts.get(name), bool) else None

    def comparison(self, node: ast.Compare) -> Evaluate:
        if len(node.ops) != 1 or type(node.ops[0]) not in _COMPARE:
            raise self.wrong(node, "this comparison is not allowed (one word, one sign, one value)")
        name, op = self.word(node.left), node.ops[0]
        right = self.several(node.comparators[0]) if isinstance(op, _MEMBERSHIP) else self.constant(node.comparators[0])
        self.compared.append(Compared(name, right if isinstance(right, tuple) else (right,)))
        test = _COMPARE[type(op)]
        return lambda facts: None if (value := facts.get(name)) is None else _try(test, value, right)

    def word(self, node: ast.expr) -> str:
        """`case.severity`: a name, a point, a name."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return f"{node.value.id}.{node.attr}"
        raise self.wrong(node, "a word such as case.severity or answers.result is needed")

    def constant(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name) and node.id in _YES_NO:
            return _YES_NO[node.id]
        minus = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
        number = node.operand if minus else node  # type: ignore[attr-defined]
        if isinstance(number, ast.Constant) and type(number.value) in (int, float):
            return -number.value if minus else number.value  # type: ignore[operator]
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        raise self.wrong(node, "a text in quotes, a number, yes or no is needed")

    def several(self, node: ast.expr) -> tuple[Any, ...]:
        if not isinstance(node, ast.List | ast.Tuple) or not node.elts:
            raise self.wrong(node, "a list such as ['serious', 'critical'] is needed")
        return tuple(self.constant(each) for each in node.elts)


def _try(test: Callable[[Any, Any], bool], value: Any, right: Any) -> Truth:
    """None where a text is measured against a number: such an answer says nothing."""
    try:
        return test(value, right)
    except TypeError:
        return None


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


@lru_cache(maxsize=256)
def parse(text: str) -> Condition:
    """Compile a condition; ConditionError says what is wrong, where, and what is allowed."""
    return _Compiler(text).compile()
