"""Walks a model, or a value of one, together with the marks (`Reference`, `Tunable`, `Translatable`) of its annotations."""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from haitang.base.declarations.model import Reference, Translatable, Tunable
from haitang.base.declarations.positions import KeyPath

Marks = tuple[Any, ...]


@dataclass(frozen=True)
class Spot:
    """One value inside a declaration, at its key path as written; `key`: it is the key itself."""

    path: KeyPath
    value: Any
    marks: Marks
    key: bool = False

    def mark(self, kind: type[Any]) -> Any:
        """The mark of this type, or None."""
        return next((mark for mark in self.marks if isinstance(mark, kind)), None)


def written_name(name: str, info: FieldInfo) -> str:
    return info.alias or name


def unwrap(annotation: Any) -> tuple[Any, Marks]:
    """`Annotated[X, marks]` -> X and its marks."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        unwrapped, more = unwrap(inner)
        return unwrapped, (*marks, *more)
    return annotation, ()


def members(annotation: Any) -> list[tuple[Any, Marks]]:
    """The members of a union (or the one type), each with its marks; None left out."""
    inner, marks = unwrap(annotation)
    if get_origin(inner) in (Union, types.UnionType):
        return [(each, (*marks, *more)) for member in get_args(inner) for each, more in members(member)]
    return [] if inner is type(None) else [(inner, marks)]


def walk(declared: BaseModel, path: KeyPath = ()) -> Iterator[Spot]:
    """Every value of a model, containers before their content."""
    for name, info in type(declared).model_fields.items():
        yield from _value(getattr(declared, name), info.annotation, tuple(info.metadata), (*path, written_name(name, info)))


def walk_written(model: type[BaseModel], data: dict[Any, Any], path: KeyPath = ()) -> Iterator[Spot]:
    """Every value that a declaration of this model has as written, for one that could not be built: keys of no field are passed over."""
    for name, info in model.model_fields.items():
        key = written_name(name, info)
        if key in data:
            yield from _value(data[key], info.annotation, tuple(info.metadata), (*path, key))


def _inherited(marks: Marks) -> Marks:
    """What holds for a container holds for what it contains."""
    return tuple(mark for mark in marks if isinstance(mark, Reference | Tunable))


_SHAPES: dict[type[Any], tuple[Any, ...]] = {dict: (dict,), list: (list, tuple), tuple: (list, tuple)}


def _value(value: Any, annotation: Any, marks: Marks, path: KeyPath) -> Iterator[Spot]:
    shapes = _SHAPES.get(type(value), ())
    chosen = [(inner, more) for inner, more in members(annotation) if (get_origin(inner) or inner) in shapes]
    if not chosen:
        scalars = [m for t, m in members(annotation) if get_origin(t) not in (dict, list, tuple)]
        yield Spot(path, value, (*marks, *(mark for found in scalars for mark in found)))
        if isinstance(value, BaseModel):
            yield from walk(value, path)
        elif isinstance(value, dict):
            yield from _as_written(value, annotation, path)
        return
    inner, more = chosen[0]
    yield Spot(path, value, (*marks, *more))
    down = _inherited((*marks, *more))
    args = get_args(inner)
    if isinstance(value, dict):
        yield from _mapping(value, args, down, path)
    else:
        for place, item in enumerate(value):
            yield from _value(item, args[min(place, len(args) - 1)] if args else Any, down, (*path, place))


def _as_written(value: dict[Any, Any], annotation: Any, path: KeyPath) -> Iterator[Spot]:
    """A mapping where a model belongs. Where several could be meant, none is guessed."""
    models = [inner for inner, _ in members(annotation) if isinstance(inner, type) and issubclass(inner, BaseModel)]
    if len(models) == 1:
        yield from walk_written(models[0], value, path)


def _mapping(value: dict[Any, Any], args: tuple[Any, ...], down: Marks, path: KeyPath) -> Iterator[Spot]:
    key_type, value_type = args or (Any, Any)
    references = tuple(mark for mark in down if isinstance(mark, Reference))
    tunable = tuple(mark for mark in down if isinstance(mark, Tunable))
    for key, item in value.items():
        yield Spot((*path, key), key, (*references, *unwrap(key_type)[1]), key=True)
        yield from _value(item, value_type, tunable, (*path, key))


def texts(declared: BaseModel) -> Iterator[Spot]:
    """Every text for people."""
    for spot in walk(declared):
        if isinstance(spot.value, str) and spot.mark(Translatable):
            yield spot


def references(declared: BaseModel) -> Iterator[tuple[Spot, Reference]]:
    """Every id that names another declaration."""
    yield from _references(walk(declared))


def references_written(model: type[BaseModel], data: dict[Any, Any]) -> Iterator[tuple[Spot, Reference]]:
    """The same of a declaration that could not be built, as far as it is written as the model has it."""
    yield from _references(walk_written(model, data))


def _references(spots: Iterator[Spot]) -> Iterator[tuple[Spot, Reference]]:
    for spot in spots:
        mark = spot.mark(Reference)
        if mark is not None and isinstance(spot.value, str):
            yield spot, mark


def tunable_marks(annotation: Any, marks: Marks, path: KeyPath) -> Tunable | None:
    """The `Tunable` that covers `path` below a type, or None: it does not exist or nobody may set it."""
    found = next((mark for mark in (*marks, *(m for _, ms in members(annotation) for m in ms)) if isinstance(mark, Tunable)), None)
    if found is not None or not path:
        return found
    for inner, _ in members(annotation):
        deeper = _below(inner, path)
        if deeper is not None:
            return deeper
    return None


def _below(inner: Any, path: KeyPath) -> Tunable | None:
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        for name, info in inner.model_fields.items():
            if written_name(name, info) == path[0]:
                return tunable_marks(info.annotation, tuple(info.metadata), path[1:])
        return None
    args = get_args(inner)
    if get_origin(inner) in (dict, list, tuple) and args:
        return tunable_marks(args[-1] if get_origin(inner) is dict else args[0], (), path[1:])
    return None


def tunable_paths(model: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Tunable]]:
    """Every tunable key of a model as a pattern: `stages.*.within`."""
    for name, info in model.model_fields.items():
        yield from _patterns(info.annotation, tuple(info.metadata), (*path, written_name(name, info)))


def _patterns(annotation: Any, marks: Marks, path: tuple[str, ...]) -> Iterator[tuple[str, Tunable]]:
    found = tunable_marks(annotation, marks, ())
    if found is not None:
        yield ".".join(path), found
        return
    for inner, _ in members(annotation):
        args = get_args(inner)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from tunable_paths(inner, path)
        elif get_origin(inner) in (dict, list, tuple) and args:
            yield from _patterns(args[-1] if get_origin(inner) is dict else args[0], (), (*path, "*"))


def keys_at(model: Any, path: KeyPath) -> list[str]:
    """The keys that a mapping at `path` of a model may have; empty where any key goes."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        if not path:
            return [written_name(name, info) for name, info in model.model_fields.items()]
        for name, info in model.model_fields.items():
            if path[0] in (name, info.alias):
                return [key for inner, _ in members(info.annotation) for key in keys_at(inner, path[1:])]
        return []
    args = get_args(model)
    if not path or not args:
        return []
    item = args[-1] if get_origin(model) is dict else args[0]
    return [key for inner, _ in members(item) for key in keys_at(inner, path[1:])]
