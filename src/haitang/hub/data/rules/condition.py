"""The condition language of rules: `value > 115`, `change(1h) >= 30 and mean(6h) > 75`, `silent`.

A condition is parsed with Python's grammar, held against an allow-list and compiled to closures over a `Series`. Logic has three values: a
condition about a missing number is neither true nor false (None), and `and`, `or`, `not` follow Kleene.
"""

import ast
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from haitang.base.durations import parse_span

Number = float | None
Truth = bool | None

ALLOWED = (
    "allowed are value, change(1h), mean(6h), max(6h), min(6h), sum(6h), count(6h), silent, numbers, + - * /, < <= > >= == !=, and, or, not"
)
_SPAN = re.compile(r"(?<![\w.'\"])(\d+(?:\.\d+)?\s*(?:seconds?|sec|s|minutes?|min|hours?|h|days?|d))(?![\w'\"])")


class ConditionError(ValueError):
    """A condition that does not follow the language; the message says what, where and what is allowed."""


class Series:
    """Observations of one property of one thing in order of time, seen from `at`, the index of the newest that counts.

    `ends`: period ends in Unix microseconds, ascending; `values`: None where the value is missing. `reach`: how far before the asked instant
    `change` still accepts a value, in microseconds. `holes`: whether a value may be missing.
    """

    __slots__ = ("at", "ends", "holes", "reach", "values")

    def __init__(self, ends: Sequence[int], values: Sequence[float | None], reach: int, at: int = 0) -> None:
        self.ends, self.values, self.reach, self.at, self.holes = ends, values, reach, at, True

    @property
    def value(self) -> Number:
        """The value at `at`."""
        return self.values[self.at]

    def window(self, span: int) -> Sequence[float]:
        """Values in (t - span, t]."""
        first = bisect_right(self.ends, self.ends[self.at] - span, 0, self.at + 1)
        found = self.values[first : self.at + 1]
        return [v for v in found if v is not None] if self.holes else found  # type: ignore[return-value]

    def before(self, span: int) -> Number:
        """The newest value at or before t - span, at most `reach` older."""
        asked = self.ends[self.at] - span
        for i in range(bisect_right(self.ends, asked, 0, self.at + 1) - 1, -1, -1):
            if self.ends[i] <= asked - self.reach:
                return None
            if self.values[i] is not None:
                return self.values[i]
        return None


Evaluate = Callable[[Series], Any]


@dataclass(frozen=True)
class Condition:
    """A compiled condition. `lookback`: the longest window in microseconds; `silent`: it asks about silence, not about values."""

    text: str
    evaluate: Callable[[Series], Truth]
    lookback: int
    silent: bool


_WINDOWS: dict[str, Callable[[Sequence[float]], Number]] = {
    "mean": lambda vs: sum(vs) / len(vs) if vs else None,
    "max": lambda vs: max(vs, default=None),
    "min": lambda vs: min(vs, default=None),
    "sum": lambda vs: sum(vs) if vs else None,
    "count": lambda vs: float(len(vs)),
}
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], Number]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b if b else None,
}
_COMPARE: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
}


def microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def all_of(truths: list[Truth]) -> Truth:
    """Kleene's and."""
    return False if False in truths else None if None in truths else True


class _Compiler:
    def __init__(self, text: str) -> None:
        self.text, self.source = text, _SPAN.sub(r'"\1"', text.strip())
        self.lookback, self.silent, self.valued = 0, False, False

    def wrong(self, node: ast.AST, what: str) -> ConditionError:
        part = (ast.get_source_segment(self.source, node) or self.source).replace('"', "")
        return ConditionError(f"{what} at `{part}` in `{self.text}`; {ALLOWED}")

    def compile(self) -> Condition:
        if len(self.text) > 1000:
            raise ConditionError(f"a condition has at most 1000 characters; {ALLOWED}")
        try:
            body = ast.parse(self.source, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise ConditionError(f"cannot read `{self.text}`; {ALLOWED}") from None
        evaluate = self.truth(body)
        if self.silent and self.valued:
            raise ConditionError(f"`{self.text}` mixes silent with values; write two rules")
        if not self.silent and not self.valued:
            raise ConditionError(f"`{self.text}` asks about no value; {ALLOWED}")
        return Condition(self.text, evaluate, self.lookback, self.silent)

    def truth(self, node: ast.expr) -> Evaluate:
        """A part that must be true or false."""
        if isinstance(node, ast.BoolOp):
            parts, conjunct = [self.truth(v) for v in node.values], isinstance(node.op, ast.And)
            if conjunct:
                return lambda s: all_of([p(s) for p in parts])
            return lambda s: _not(all_of([_not(p(s)) for p in parts]))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            part = self.truth(node.operand)
            return lambda s: _not(part(s))
        if isinstance(node, ast.Name) and node.id == "silent":
            self.silent = True
            return lambda s: True
        if isinstance(node, ast.Compare):
            return self.comparison(node)
        raise self.wrong(node, "a condition is needed (a comparison, and, or, not, silent)")

    def comparison(self, node: ast.Compare) -> Evaluate:
        numbers = [self.number(n) for n in (node.left, *node.comparators)]
        if any(type(op) not in _COMPARE for op in node.ops):
            raise self.wrong(node, "this comparison is not allowed")
        tests = [_COMPARE[type(op)] for op in node.ops]
        if len(tests) == 1:
            test, left, right = tests[0], numbers[0], numbers[1]
            return lambda s: None if (a := left(s)) is None or (b := right(s)) is None else test(a, b)

        def chain(s: Series) -> Truth:
            got = [n(s) for n in numbers]
            return all_of([None if a is None or b is None else t(a, b) for t, a, b in zip(tests, got, got[1:], strict=False)])

        return chain

    def number(self, node: ast.expr) -> Evaluate:
        """A part that must be a number."""
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            constant = self.constant(node)
            return lambda s: constant
        if isinstance(node, ast.Name) and node.id == "value":
            self.valued = True
            return lambda s: s.value
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            part = self.number(node.operand)
            return lambda s: None if (v := part(s)) is None else -v
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            left, right, op = self.number(node.left), self.number(node.right), _ARITHMETIC[type(node.op)]
            return lambda s: None if (a := left(s)) is None or (b := right(s)) is None else op(a, b)
        if isinstance(node, ast.Call):
            return self.call(node)
        raise self.wrong(node, "a number is needed")

    def constant(self, node: ast.Constant) -> float:
        try:
            return float(node.value)  # type: ignore[arg-type]
        except OverflowError:
            raise self.wrong(node, "this number is too large") from None

    def call(self, node: ast.Call) -> Evaluate:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name != "change" and name not in _WINDOWS:
            raise self.wrong(node, "unknown function")
        if len(node.args) != 1 or node.keywords or not isinstance(node.args[0], ast.Constant) or not isinstance(node.args[0].value, str):
            raise self.wrong(node, f"{name} takes one span such as 6h")
        try:
            span = microseconds(parse_span(node.args[0].value))
        except ValueError:
            raise self.wrong(node, f"{name} takes one span such as 6h") from None
        if not 0 < span <= microseconds(timedelta(days=31)):
            raise self.wrong(node, "a span is more than 0 and at most 31d")
        self.valued, self.lookback = True, max(self.lookback, span)
        if name == "change":
            return lambda s: None if (a := s.value) is None or (b := s.before(span)) is None else a - b
        window = _WINDOWS[name]
        return lambda s: window(s.window(span))


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


def parse(text: str) -> Condition:
    """Compile a condition; ConditionError says what is wrong, where, and what is allowed."""
    return _Compiler(text).compile()
