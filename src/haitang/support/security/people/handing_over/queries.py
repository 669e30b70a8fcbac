"""Reads about delegations."""

from uuid import UUID

from django.db.models import Q, QuerySet

from haitang.base import clock
from haitang.base.errors import error
from haitang.support.security.people.models import STAFF, Delegation, Person

NO_DELEGATION = error("people.no_delegation", 404, "没有这项代办，或已经结束。")


def in_force_now() -> Q:
    """Delegations that let their taker act at this moment."""
    now = clock.now()
    return Q(ended_at=None, starts_at__lte=now, ends_at__gt=now, giver__is_active=True, taker__is_active=True)


def delegations_of(person: Person) -> tuple[list[Delegation], list[Delegation]]:
    """(given, taken) that have not ended."""
    open_now = Delegation.objects.filter(ended_at=None, ends_at__gt=clock.now()).select_related("giver", "taker").order_by("starts_at")
    return list(open_now.filter(giver=person)), list(open_now.filter(taker=person))


def delegation_of(id: UUID, person: Person) -> Delegation:
    """A delegation that is this person's on one side; raises NO_DELEGATION."""
    found = Delegation.objects.filter(Q(giver=person) | Q(taker=person), pk=id, ended_at=None).select_related("giver", "taker").first()
    if found is None:
        raise NO_DELEGATION()
    return found


def takers_for(person: Person) -> QuerySet[Person]:
    """Colleagues of the same organization, to whom work can go."""
    return Person.objects.filter(kind=STAFF, is_active=True, organization_id=person.organization_id).exclude(pk=person.pk).order_by("name")
