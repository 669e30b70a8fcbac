"""Reads about people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from haitang.base import clock
from haitang.base.actions import Act, Actor, permissions
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.base.sql import columns, read, rows
from haitang.support.security.evidence.queries import records
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import SORTS, Organization, Person, Session

_FILLING = (
    f"select {columns(Organization)} from {Organization._meta.db_table} "  # noqa: S608 - names of the model
    "where active and fills @> array[%s]::varchar[] order by id limit 1"
)
_HOLDERS = (
    f"select {columns(Person)} from people_person p where p.is_active and (p.organization_id = %s or %s::varchar is null) "  # noqa: S608 - names of the model
    "and exists (select 1 from people_roleholding h where h.person_id = p.id and h.role = any(%s)) order by p.id"
)

NO_SUCH_USERNAME = error("people.no_such_username", 404, "没有用户名为“{username}”的人员。")


def actor_of(person: Person) -> Actor:
    """The actor that this person is."""
    return Actor(
        kind=person.kind,
        id=str(person.id),
        name=person.name,
        organization=person.organization_id,
        roles=frozenset(person.holdings.values_list("role", flat=True)),
    )


def filling(role: str) -> Organization | None:
    """The organization that fills an organization role, such as `ecology_bureau`."""
    found = rows(_FILLING, [role])
    return read(Organization, found[0]) if found else None


def fillings() -> dict[str, Organization]:
    """Organization role -> the organization that fills it, as `filling` says, with one query for all."""
    found: dict[str, Organization] = {}
    for organization in Organization.objects.filter(active=True).order_by("id"):
        for role in organization.fills:
            found.setdefault(role, organization)
    return found


def holders(roles: Iterable[str], organization: str | None = None) -> QuerySet[Person]:
    """Active people who hold any of `roles`, in `organization` where given."""
    found = Person.objects.filter(is_active=True, holdings__role__in=list(roles)).distinct()
    return found.filter(organization_id=organization) if organization else found


def ids_of_holders(roles: Iterable[str], organization: str | None = None, *, act: Act) -> list[str]:
    """The ids of `holders`. Who they are stays in the memory of `act` under (Person, id): they are read to be told something in the same transaction."""
    found = [read(Person, row) for row in rows(_HOLDERS, [organization or None, organization or None, list(roles)])]
    act.memory.update({(Person, str(person.pk)): person for person in found})
    return [str(person.pk) for person in found]


def person_named(username: str) -> Person:
    """The person with this sign-in name; raises NO_SUCH_USERNAME."""
    found = Person.objects.filter(username=username).first()
    if found is None:
        raise NO_SUCH_USERNAME(username=username)
    return found


def roles_in_words(person: Person) -> list[str]:
    """Titles of the roles that a person holds; the id of one that is declared no more."""
    declared = in_force().all(Role)
    held = sorted(person.holdings.values_list("role", flat=True))
    return [declared[id].title if id in declared else id for id in held]


@dataclass(frozen=True)
class Happening:
    """What was done about an account: when, what, by whom (empty: by its own person)."""

    at: datetime
    title: str
    by: str


def happenings(person: Person, most: int = 20) -> list[Happening]:
    """The newest records of the ledger about an account, as its person may read them: what was done and who did it, none of the facts."""
    found = list(records("person", str(person.pk)).values_list("at", "action", "actor")[:most])
    ids = {actor.partition(":")[2] for _, _, actor in found if actor.partition(":")[0] in SORTS}
    names = {str(id): name for id, name in Person.objects.filter(pk__in=ids).values_list("pk", "name")}
    return [Happening(at, permissions.get(action, action), _by(actor, person, names)) for at, action, actor in found]


def _by(actor: str, person: Person, names: Mapping[str, str]) -> str:
    id = actor.partition(":")[2]
    return "" if id == str(person.pk) else names.get(id, id)


def sessions_of(person: Person) -> QuerySet[Session]:
    """Where a person is signed in, last seen first."""
    return Session.objects.filter(person=person, expire_date__gt=clock.now()).order_by("-seen_at")
