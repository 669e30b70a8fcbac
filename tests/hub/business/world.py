"""A small district for tests: the platform's own declarations, one type of case, two departments, one person a role."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

from haitang.base import clock, settings
from haitang.base.actions import Actor
from haitang.base.clock import CHINA
from haitang.base.declarations import Declarations, put_in_force
from haitang.base.declarations.loader import load_folders
from haitang.base.declarations.owners import Owner, rooms
from haitang.server.discovery import load_kinds
from haitang.support.security.people.models import Organization, Person, RoleHolding
from haitang.support.security.people.queries import actor_of

PLACE = {
    "place.yaml": "title: 试验区\ncode: '990001'\n",
    "organizations.yaml": "ecology: {title: 生态环境局, fills: [ecology_bureau]}\nwater: {title: 水利局, fills: [water_bureau]}\n",
    "calendar.yaml": (
        "title: 试验日历\nyears:\n  2026: {holidays: ['2026-10-01..2026-10-07'], workdays: ['2026-10-10'], source: 试验, published: 2025-11-04}\n"
    ),
}
APPLICATION = {
    "application.yaml": "title: 试验应用\n",
    "cases/dust.yaml": "title: 扬尘\ncode: '0302'\nprocedure: site_inspection\ngoes_to: ecology_bureau\n",
}
START = datetime(2026, 11, 23, 9, 0, tzinfo=CHINA)  # a Monday


def declare(*, place: dict[str, str] | None = None, application: dict[str, str] | None = None) -> Declarations:
    """Load the rooms with this place and application, and put them in force."""
    found = _loaded(tuple((place or {}).items()), tuple((application or {}).items()))
    put_in_force(found)
    return found


@cache
def _loaded(place: tuple[tuple[str, str], ...], application: tuple[tuple[str, str], ...]) -> Declarations:
    load_kinds()
    owners = [*rooms(), Owner("trial", "application", Path("trial"), {**APPLICATION, **dict(application)})]
    loaded = load_folders([*owners, Owner("somewhere", "place", Path("somewhere"), {**PLACE, **dict(place)})])
    assert loaded.declarations, "\n".join(map(str, loaded.errors))
    return loaded.declarations


class World:
    """People by the role they play; `handler` is of the ecology department, `stranger` a handler of another one."""

    def __init__(self) -> None:
        for id, title, fills in (
            ("ecology", "生态环境局", ["ecology_bureau"]),
            ("water", "水利局", ["water_bureau"]),
            ("centre", "指挥中心", []),
        ):
            Organization.objects.create(id=id, title=title, fills=fills)
        self.people: dict[str, Person] = {}
        for name, role, organization in (
            ("dispatcher", "dispatcher", "centre"),
            ("handler", "handler", "ecology"),
            ("stranger", "handler", "water"),
            ("verifier", "verifier", "centre"),
            ("officer", "duty_officer", "centre"),
            ("head", "department_head", "ecology"),
            ("auditor", "auditor", "centre"),
        ):
            self.person(name, organization, role)
        self.person("both", "ecology", "handler", "verifier")

    def person(self, name: str, organization: str, *roles: str) -> Person:
        made = Person.objects.create(username=name, name=name, organization_id=organization, synthetic=True)
        RoleHolding.objects.bulk_create([RoleHolding(person=made, role=role) for role in roles])
        self.people[name] = made
        return made

    def __getattr__(self, name: str) -> Actor:
        if name.startswith("_") or name not in self.people:
            raise AttributeError(name)
        return actor_of(self.people[name])


@contextmanager
def declared() -> Iterator[None]:
    """The world's declarations are in force, and what was in force before is again at the end."""
    from haitang.base.declarations import in_force as module  # noqa: F401

    forced = sys.modules["haitang.base.declarations.in_force"]
    before = forced._current
    declare()
    yield
    forced._current = before  # type: ignore[attr-defined]


@pytest.fixture
def world(db: None, tmp_path: Path) -> Iterator[World]:
    """The district at nine o'clock on a Monday."""
    kept = settings._current
    settings.use(settings.load({"data": tmp_path}))
    with declared(), clock.frozen(START):
        yield World()
    settings._current = kept


__all__ = ["START", "World", "declare", "world"]
