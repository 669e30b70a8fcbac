"""What a new release changes, in words, and whether rooms refuse it.

A room that keeps work open across releases registers

    @on_change(Procedure)
    def open_runs_keep_their_stage(old: Procedure | None, new: Procedure | None) -> Iterable[Problem]: ...

in its `checks.py`. `old` or `new` is None for an added or removed declaration. An error refuses the release, a warning is told with it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from haitang.base.declarations.build import brief, place
from haitang.base.declarations.checks import Problem
from haitang.base.declarations.files import Raw
from haitang.base.declarations.in_force import Declarations
from haitang.base.declarations.kinds import all_kinds, kind_of
from haitang.base.declarations.loader import Loaded
from haitang.base.declarations.model import Declaration
from haitang.base.declarations.positions import KeyPath, dotted

D = TypeVar("D", bound=Declaration)
What = Literal["added", "removed", "changed"]
ABSENT = "（无）"

Hook = Callable[[Any, Any], Iterable[Problem]]
hooks: dict[str, tuple[type[Declaration], Hook]] = {}


def on_change(model: type[D]) -> Callable[[Hook], Hook]:
    """Register what a room says when declarations of `model` are added, removed or changed by a new release."""

    def register(function: Hook) -> Hook:
        room = function.__module__.split(".")[-2]
        hooks[f"{room}.{function.__name__}"] = (model, function)
        return function

    return register


@dataclass(frozen=True)
class Change:
    """One change: a declaration came, went, or one of its keys has another value."""

    what: What
    kind: str
    id: str
    title: str
    owner: str
    key: str = ""
    old: str = ""
    new: str = ""

    def __str__(self) -> str:
        name = f"{_title(self.kind)} {self.id}" + (f"（{self.title}）" if self.title and self.title != self.id else "")
        if self.what != "changed":
            return f"{'新增' if self.what == 'added' else '删去'} {name}"
        return f"修改 {name}：{self.key}  {self.old} → {self.new}"


def _title(kind: str) -> str:
    return all_kinds()[kind].title if kind in all_kinds() else {"functions": "函数", "overrides": "地方调整"}.get(kind, kind)


def changes(old: Loaded | None, new: Loaded) -> list[Change]:
    """Every change from `old` (None: nothing in force) to `new`, in the order of the declarations."""
    before = old.raws if old else {}
    found: list[Change] = []
    for key, raw in new.raws.items():
        found += _changed(before[key], raw) if key in before else [_whole("added", raw)]
    found += [_whole("removed", raw) for key, raw in before.items() if key not in new.raws]
    return [*found, *_functions(old, new)]


def _name(raw: Raw) -> str:
    return str(raw.data.get("title", "")) if isinstance(raw.data, dict) else ""


def _whole(what: What, raw: Raw) -> Change:
    return Change(what, raw.kind.name, raw.id, _name(raw), raw.owner.name)


def _changed(old: Raw, new: Raw) -> Iterator[Change]:
    before, after = dict(_leaves(old.data)), dict(_leaves(new.data))
    for path in dict.fromkeys([*before, *after]):
        if before.get(path, ABSENT) != after.get(path, ABSENT):
            values = brief(before.get(path, ABSENT)), brief(after.get(path, ABSENT))
            yield Change("changed", new.kind.name, new.id, _name(new), new.owner.name, dotted(path), *values)


def _leaves(data: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(data, Mapping) and data and len(path) < 8:
        for key, value in data.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(data, list) and any(isinstance(item, dict | list) for item in data) and len(path) < 8:
        for number, item in enumerate(data):
            yield from _leaves(item, (*path, number))
    else:
        yield path, data


def _functions(old: Loaded | None, new: Loaded) -> Iterator[Change]:
    before = {owner.name: owner.files.get("functions.py") for owner in old.owners} if old else {}
    for owner in new.owners:
        text = owner.files.get("functions.py")
        if text != before.get(owner.name):
            what: What = "added" if not before.get(owner.name) else "removed" if text is None else "changed"
            yield Change(what, "functions", owner.name, "", owner.name, "functions.py", "旧文本", "新文本")


def objections(old: Declarations | None, loaded: Loaded) -> list[Problem]:
    """What rooms say of the release; errors refuse it."""
    found: list[Problem] = []
    for code, (model, hook) in hooks.items():
        before = dict(old.all(model)) if old else {}
        after = dict(loaded.partial.all(model))
        for id in {**before, **after}:
            if before.get(id) != after.get(id):
                found += [_placed(problem, code, loaded, model, id) for problem in hook(before.get(id), after.get(id))]
    return found


def _placed(problem: Problem, code: str, loaded: Loaded, model: type[Declaration], id: str) -> Problem:
    kind = kind_of(model).name
    coded = problem.located(code=problem.code or code, declaration=f"{kind} {id}")
    raw = loaded.raws.get((kind, id))
    return place(coded, raw, tuple(problem.key_path.split("."))) if raw else coded
