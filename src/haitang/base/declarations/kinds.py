"""The registry of kinds. A room's `kinds.py` registers with `@kind(...)`; importing the room is enough."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from haitang.base.declarations.model import Declaration

D = TypeVar("D", bound=type[Declaration])
Shape = Literal["one", "each", "table", "codes", "sql", "cedar", "geojson"]


@dataclass(frozen=True)
class Kind:
    """One kind of declaration.

    `folder`: the folder whose files are of this kind; for shape `one` the file's stem (application.yaml, place.yaml).
    `shape`: how files map to declarations:
        one      a single file at the top of the owner's folder
        each     one YAML file a declaration in `folder/`
        table    `folder.yaml` (mapping of id to body) or `folder.csv` (column `id`) at the top holds many
        codes    one YAML file a declaration in `folder/`, or one CSV file: `# title` in its first line, its rows by their first column under `codes`
        sql      one SQL file with a YAML header in `folder/`; the statement becomes key `sql`
        cedar    one Cedar file with a YAML header in `//` lines in `folder/`; the policies become key `cedar`
        geojson  `folder.geojson` at the top; becomes key `geojson`
    `where`: application, place or both (platform rooms declare what applications may).
    """

    name: str
    model: type[Declaration]
    title: str
    folder: str
    shape: Shape
    where: frozenset[str]

    @property
    def doc(self) -> str:
        return self.model.__doc__ or ""


_kinds: dict[str, Kind] = {}


def kind(name: str, *, title: str, folder: str, shape: Shape = "each", where: str = "application") -> Callable[[D], D]:
    """Register a pydantic model as the kind `name`."""

    def register(model: D) -> D:
        if name in _kinds and _kinds[name].model is not model:
            raise RuntimeError(f"kind {name} is registered twice")
        _kinds[name] = Kind(name, model, title, folder, shape, frozenset(where.split(",")))
        return model

    return register


def all_kinds() -> Mapping[str, Kind]:
    return _kinds


def kind_of(model: type[Declaration]) -> Kind:
    """The kind that `model` was registered as."""
    return next(k for k in _kinds.values() if k.model is model)
