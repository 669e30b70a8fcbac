"""The actor of somebody who has just proved who they are."""

from dataclasses import replace
from datetime import timedelta

from django.test import Client

from haitang.base import clock
from haitang.base.actions import Actor
from haitang.support.security.people.models import Person, RoleHolding
from haitang.support.security.people.queries import actor_of


def proved(person: Person) -> Actor:
    return replace(actor_of(person), proved_until=clock.now() + timedelta(minutes=10))


def made(username: str, *roles: str, **more: object) -> Person:
    """A made-up member of staff with these roles."""
    person = Person.objects.create(username=username, name=username, synthetic=True, **more)
    RoleHolding.objects.bulk_create([RoleHolding(person=person, role=role) for role in roles])
    return person


def proved_client(person: Person) -> Client:
    """A browser in which the person has signed in and just proved who they are."""
    client = Client()
    client.force_login(person)
    session = client.session
    session["proved"] = clock.now().isoformat()
    session.save()
    return client
