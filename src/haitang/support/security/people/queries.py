"""Reads about people."""

from collections.abc import Iterable

from django.db.models import QuerySet

from haitang.base import clock
from haitang.base.actions import Actor
from haitang.base.errors import error
from haitang.base.sql import rows
from haitang.support.security.people.models import Organization, Person, Session

_ORGANIZATION = [field.attname for field in Organization._meta.concrete_fields]
_FILLING = (
    f"select {', '.join(_ORGANIZATION)} from {Organization._meta.db_table} "  # noqa: S608 - names of the model
    "where active and fills @> array[%s]::varchar[] order by id limit 1"
)
_HOLDERS = """select distinct p.id from people_person p join people_roleholding h on h.person_id = p.id
              where p.is_active and h.role = any(%s) and (p.organization_id = %s or %s::varchar is null)"""

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
    return Organization.from_db("default", _ORGANIZATION, found[0]) if found else None


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


def ids_of_holders(roles: Iterable[str], organization: str | None = None) -> list[str]:
    """The ids of `holders`."""
    return [str(id) for (id,) in rows(_HOLDERS, [list(roles), organization or None, organization or None])]


def person_named(username: str) -> Person:
    """The person with this sign-in name; raises NO_SUCH_USERNAME."""
    found = Person.objects.filter(username=username).first()
    if found is None:
        raise NO_SUCH_USERNAME(username=username)
    return found


def sessions_of(person: Person) -> QuerySet[Session]:
    """Where a person is signed in, last seen first."""
    return Session.objects.filter(person=person, expire_date__gt=clock.now()).order_by("-seen_at")
