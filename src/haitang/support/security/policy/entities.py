"""Who asks and what is asked about, as Cedar entities.

A resource says what it is by plain names: `organization` (or `organization_id`), `division`, `owner`, `level`, `stage`, `sharing`, `kind`, `device` (its type); what it does not say,
a policy finds absent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from haitang.base.actions import Actor
from haitang.support.security.policy.language import groups_of, room_of
from haitang.support.security.policy.systems import SYSTEMS

SORTS = {"staff": "Staff", "citizen": "Citizen", "enterprise": "Enterprise", "device": "Device", "system": "System"}
LEVELS = {"public": 0, "general": 1, "internal": 1, "sensitive": 2, "important": 3, "core": 4}
DIVISION_LENGTHS = (12, 9, 6, 4, 2)
Entity = dict[str, Any]


class Tree(Protocol):
    """The organizations as they stand in each other."""

    def parent(self, organization: str) -> str | None: ...

    def division(self, organization: str) -> str | None: ...


@dataclass(frozen=True)
class Subject:
    """What is asked about; `ref` is `kind:id`. Without a particular thing it is the platform."""

    ref: str = "platform"
    kind: str = "platform"
    organization: str | None = None
    division: str | None = None
    owner: str | None = None
    level: int | None = None
    stage: str | None = None
    sharing: str | None = None
    device: str | None = None


PLATFORM = Subject()


def subject_of(resource: Any) -> Subject:
    """A resource as policies see it: a mapping, an actor, a model instance, anything with these names."""
    if resource is None or isinstance(resource, Subject):
        return resource or PLATFORM
    kind = str(_read(resource, "kind") if isinstance(resource, Mapping | Actor) else _kind(resource)) or "thing"
    id = _read(resource, "id") or _read(resource, "pk")
    return Subject(
        ref=f"{kind}:{id}" if id is not None else kind,
        kind=kind,
        organization=organization_of(resource),
        division=_text(resource, "division"),
        owner=_owner(resource),
        level=level_of(_read(resource, "level")),
        stage=_text(resource, "stage"),
        sharing=_text(resource, "sharing"),
        device=_text(resource, "device"),
    )


def _owner(resource: Any) -> str | None:
    """A person is their own."""
    if isinstance(resource, Actor):
        return resource.ref
    return f"{resource.kind}:{resource.pk}" if _kind(resource) == "person" else _text(resource, "owner")


def organization_of(resource: Any) -> str | None:
    """The organization that a resource belongs to, when it says so."""
    for name in ("organization_id", "organization"):
        found = _read(resource, name)
        if found is not None:
            return str(getattr(found, "pk", found))
    return None


def level_of(written: Any) -> int | None:
    """A classification level as the number that policies compare."""
    return written if isinstance(written, int) else LEVELS.get(written) if isinstance(written, str) else None


def _read(resource: Any, name: str) -> Any:
    return resource.get(name) if isinstance(resource, Mapping) else getattr(resource, name, None)


def _kind(resource: Any) -> str:
    meta = getattr(resource, "_meta", None)
    return str(meta.model_name) if meta else type(resource).__name__.lower()


def _text(resource: Any, name: str) -> str | None:
    found = _read(resource, name)
    return found if isinstance(found, str) and found else None


def entity(type: str, id: str, parents: Iterator[tuple[str, str]] | tuple[tuple[str, str], ...] = (), **attributes: Any) -> Entity:
    return {"uid": {"type": type, "id": id}, "attrs": attributes, "parents": [{"type": t, "id": i} for t, i in parents]}


def link(type: str, id: str) -> dict[str, Any]:
    return {"__entity": {"type": type, "id": id}}


def principal(actor: Actor, tree: Tree) -> list[Entity]:
    """The actor, and the organizations and divisions above it. Citizens, enterprises and devices hold no roles."""
    sort = SORTS.get(actor.kind, "Citizen")
    within = [("Role", role) for role in sorted(actor.roles)] if sort in ("Staff", "System") else []
    if sort == "System" and actor.id in SYSTEMS and SYSTEMS[actor.id].may:
        within.append(("Process", "platform"))
    place = tree.division(actor.organization) if actor.organization else None
    return [
        entity(sort, actor.id, tuple(within), ref=actor.ref, **_where(actor.organization, place)),
        *_above(actor.organization, place, tree),
    ]


def resource(subject: Subject, tree: Tree) -> list[Entity]:
    plain = {name: getattr(subject, name) for name in ("ref", "kind", "owner", "level", "stage", "sharing", "device")}
    given = {name: value for name, value in plain.items() if value is not None}
    return [
        entity("Resource", subject.ref, (), **given, **_where(subject.organization, subject.division)),
        *_above(subject.organization, subject.division, tree),
    ]


def action(permission: str, writes: set[str]) -> list[Entity]:
    groups = tuple(("Action", group) for group in groups_of(permission, writes))
    return [entity("Action", permission, groups), entity("Permission", permission, (("Permission", room_of(permission)),))]


def _where(organization: str | None, division: str | None) -> dict[str, Any]:
    found = {"organization": link("Organization", organization)} if organization else {}
    return {**found, **({"division": link("Division", division)} if division else {})}


def _above(organization: str | None, division: str | None, tree: Tree) -> Iterator[Entity]:
    seen: set[str] = set()
    while organization and organization not in seen:
        seen.add(organization)
        parent = tree.parent(organization)
        yield entity("Organization", organization, (("Organization", parent),) if parent else ())
        organization = parent
    if division:
        yield entity("Division", division, tuple(("Division", code) for code in divisions_above(division)))


def divisions_above(code: str) -> list[str]:
    """The divisions that contain a code, by the structure of GB/T 2260 and GB/T 10114: province, city, district, town, village."""
    return [code[:length] for length in DIVISION_LENGTHS if length < len(code)]
