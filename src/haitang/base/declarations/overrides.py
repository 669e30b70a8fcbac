"""What a place tunes: `overrides.yaml` sets tunable keys of declarations that applications and rooms ship.

    rule pm2_5_exceeds:
      when: value > 100
    procedure site_inspection:
      stages.filed.within: 20 emergency minutes      # a key path, as errors print it; nested mappings do as well

An approved edit sets one key the same way (`tune`). The tuned declaration is checked by the same model as the written one.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from haitang.base.declarations import faults
from haitang.base.declarations.build import nearest
from haitang.base.declarations.checks import Problem
from haitang.base.declarations.files import OVERRIDES, Raw
from haitang.base.declarations.kinds import Kind, all_kinds
from haitang.base.declarations.owners import Owner
from haitang.base.declarations.positions import KeyPath, Position, Read, dotted, read_yaml
from haitang.base.declarations.walk import tunable_marks, tunable_paths

Raws = dict[tuple[str, str], Raw]


def key_path(written: str | int) -> KeyPath:
    """`limits.0.within` -> ("limits", 0, "within")."""
    return tuple(int(part) if part.isdigit() and len(part) < 10 else part for part in str(written).split("."))


def is_tunable(kind: Kind, path: KeyPath) -> bool:
    return tunable_marks(kind.model, (), path) is not None if path else False


def tuned(raw: Raw, path: KeyPath, value: Any, at: Position) -> Raw:
    """A copy of the raw declaration with one key set; the key stands at `at` from then on."""
    data = deepcopy(raw.data)
    holder = data
    for part in path[:-1]:
        if isinstance(holder, list) and isinstance(part, int) and part < len(holder):
            holder = holder[part]
        elif isinstance(holder, dict):
            holder = holder.setdefault(_key(holder, part), {})
    last = path[-1]
    if isinstance(holder, list) and isinstance(last, int) and last < len(holder):
        holder[last] = value
    elif isinstance(holder, dict):
        last = _key(holder, last)
        holder[last] = value
    path = (*path[:-1], last)
    return replace(raw, data=data, positions={**raw.positions, path: at})


def _key(holder: dict[Any, Any], part: str | int) -> str | int:
    return next((key for key in holder if str(key) == str(part)), part)


def value_at(data: Any, path: KeyPath) -> Any:
    """The value at a key path of plain data, or None."""
    for part in path:
        if isinstance(data, dict):
            data = data.get(_key(data, part))
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def apply_overrides(raws: Raws, place: Owner) -> tuple[Raws, list[Problem]]:
    """The raw declarations as the place tunes them."""
    text = place.files.get(OVERRIDES)
    if text is None:
        return raws, []
    read = read_yaml(text, place.path(OVERRIDES))
    problems = list(read.problems)
    if read.data is not None and not isinstance(read.data, dict):
        problems.append(_here(faults.OVERRIDE_SHAPE.problem(reason="整个文件应当是映射"), read, ()))
    changed = dict(raws)
    for name, body in (read.data or {}).items() if isinstance(read.data, dict) else ():
        problems += _override(changed, read, name, body)
    return changed, problems


def _override(raws: Raws, read: Read, name: str | int, body: Any) -> Iterator[Problem]:
    kind, _, id = str(name).partition(" ")
    raw = raws.get((kind, id.strip()))
    if raw is None:
        known = [f"{k} {i}" for k, i in raws if any(tunable_paths(all_kinds()[k].model))]
        yield _here(faults.OVERRIDE_UNKNOWN.problem(str(name), name=str(name), near=nearest(str(name), known)), read, (name,))
        return
    if not isinstance(body, dict):
        yield _here(faults.OVERRIDE_SHAPE.problem(str(name), reason="声明名称下面应当是键和值"), read, (name,))
        return
    for path, value, at in _flat(raw.kind, body, (), (name,)):
        if value is _NOT:
            patterns = [pattern for pattern, _ in tunable_paths(raw.kind.model)]
            problem = faults.NOT_TUNABLE.problem(dotted((name, *path)), key=dotted(path), near=nearest(dotted(path), patterns))
            yield _here(problem, read, at)
            continue
        raw = tuned(raw, path, value, read.at(at) or Position(raw.start.file, 1))
    raws[(kind, raw.id)] = raw


_NOT = object()


def _flat(kind: Kind, body: Mapping[Any, Any], path: KeyPath, at: KeyPath) -> Iterator[tuple[KeyPath, Any, KeyPath]]:
    """Each tuned key path with its value and where it is written; `_NOT` for a key that may not be tuned."""
    for key, value in body.items():
        deeper = (*path, *key_path(key))
        if is_tunable(kind, deeper):
            yield deeper, value, (*at, key)
        elif isinstance(value, dict) and value:
            yield from _flat(kind, value, deeper, (*at, key))
        else:
            yield deeper, _NOT, (*at, key)


def _here(problem: Problem, read: Read, path: KeyPath) -> Problem:
    at = read.at(path)
    assert at is not None
    return problem.located(file=at.file, line=at.line, column=at.column)
