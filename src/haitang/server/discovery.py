"""Finds the rooms: a package with a file of a known role is a room, and nothing is registered by hand."""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import haitang

_SKIP = ("haitang.server", "haitang.web_assets")


@cache
def _modules() -> tuple[str, ...]:
    found = pkgutil.walk_packages(haitang.__path__, "haitang.", onerror=lambda name: None)
    return tuple(m.name for m in found if not m.ispkg and not m.name.startswith(_SKIP) and ".migrations" not in m.name)


def rooms_with(role: str) -> list[str]:
    """Dotted names of the packages that have the module `role` (models, kinds, pages, api, tasks)."""
    return [name.rpartition(".")[0] for name in _modules() if name.rpartition(".")[2] == role]


def modules(role: str) -> Iterator[ModuleType]:
    """Import and give every room's module `role`."""
    for room in rooms_with(role):
        yield importlib.import_module(f"{room}.{role}")


def load_kinds() -> None:
    """Register every kind, with the checks, spec runners and release hooks of its room."""
    importlib.import_module("haitang.base.declarations.application")
    for role in ("kinds", "checks", "changes"):
        for _ in modules(role):
            pass


def import_rooms() -> None:
    """Import every module of every room, so that each permission, wherever it stands, is registered."""
    for name in _modules():
        importlib.import_module(name)


def apps() -> list[str]:
    """Django applications: rooms with tables or with an `apps` module (templates, ports)."""
    return sorted(set(rooms_with("models")) | set(rooms_with("apps")))
