"""Checks that rooms add to `haitang check`.

    @check(Rule)
    def condition_parses(rule: Rule, context: Context) -> Iterable[Problem]:
        if ...:
            yield Problem("when", "条件“{...}”读不懂", "写成 value > 115")

A room writes them in its `kinds.py` or `checks.py`. The problem's code is `<room>.<function name>` (`rules.condition_parses`); a broken example stands in
`tests/fixtures/declarations/broken/<code>/`. The loader adds file, line and column from the key path.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from haitang.base.declarations.in_force import Declarations
from haitang.base.declarations.model import Declaration
from haitang.base.text import said, translate

D = TypeVar("D", bound=Declaration)


@dataclass(frozen=True)
class Problem:
    """What is wrong, where, and how to mend it. A check gives `key_path` as written in the file (`moves.accept.not_by`), `message` and `hint`.

    `key_path`: keys joined by dots, list positions as numbers; empty: the whole file. `line` and `column` count from 1; 0: not known.
    """

    key_path: str
    message: str
    hint: str = ""
    code: str = ""
    severity: Literal["error", "warning"] = "error"
    file: Path | None = None
    line: int = 0
    column: int = 0
    declaration: str = ""  # "rule pm2_5_exceeds"
    data: Mapping[str, Any] = field(default_factory=dict)  # fills `{name}` places of message and hint

    @property
    def where(self) -> str:
        """`key.path at file.yaml:line:column`."""
        place = f"{shown(self.file)}:{self.line}:{self.column}" if self.file else self.declaration
        return f"{self.key_path} at {place}" if self.key_path else place

    def sentence(self, language: str | None = None) -> str:
        return translate(self.message, language, **self._told(language))

    def mend(self, language: str | None = None) -> str:
        return translate(self.hint, language, **self._told(language))

    def _told(self, language: str | None) -> dict[str, Any]:
        return {name: said(value, language) for name, value in self.data.items()}

    def __str__(self) -> str:
        return f"{self.where}  [{self.code}] {self.sentence()}" + (f"。{self.mend()}" if self.mend() else "")

    def located(self, **where: Any) -> "Problem":
        return replace(self, **where)


@dataclass(frozen=True)
class Context:
    """What a check may look at: every declaration that could be built, and the permission words that actions registered (None: not known here)."""

    declarations: Declarations
    permissions: Mapping[str, str] | None = None

    def all(self, model: type[D]) -> Mapping[str, D]:
        return self.declarations.all(model)

    def get(self, model: type[D], id: str) -> D | None:
        """One declaration or None: a missing one is already reported as an unresolved reference."""
        return self.declarations.all(model).get(id)


def shown(file: Path) -> str:
    """A file as a person reads it: relative to where they stand, if it is below."""
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)


Check = Callable[[Any, Context], Iterable[Problem]]


@dataclass(frozen=True)
class RegisteredCheck:
    """One check of one kind; `code` is the code of its problems."""

    model: type[Declaration]
    function: Check
    code: str


registered: dict[str, RegisteredCheck] = {}


def check(
    model: type[D], *, code: str | None = None
) -> Callable[[Callable[[D, Context], Iterable[Problem]]], Callable[[D, Context], Iterable[Problem]]]:
    """Register a check that runs on each declaration of `model` once all are built and their references resolved."""

    def register(function: Callable[[D, Context], Iterable[Problem]]) -> Callable[[D, Context], Iterable[Problem]]:
        room = function.__module__.split(".")[-2]
        name = code or f"{room}.{function.__name__}"
        if name in registered and registered[name].function.__module__ != function.__module__:
            raise RuntimeError(f"check {name} is registered twice")
        registered[name] = RegisteredCheck(model, function, name)
        return function

    return register


def checks_of(model: type[Declaration]) -> list[RegisteredCheck]:
    return [found for found in registered.values() if found.model is model]
