"""Reads: a person's inbox, and who has not seen what."""

from django.db.models import QuerySet

from haitang.base.actions import Actor
from haitang.hub.business.notifications.models import Delivery, Notice


def inbox(person_id: str, *, only_unseen: bool = False) -> QuerySet[Notice]:
    """A person's notices, newest first."""
    found = Notice.objects.filter(person_id=person_id).order_by("-created_at", "-id")
    return found.filter(seen_at__isnull=True) if only_unseen else found


def count_unseen(actor: Actor) -> int:
    """For the badge in the navigation."""
    return Notice.objects.filter(person_id=actor.id, seen_at__isnull=True).count() if actor.kind == "staff" else 0


def told(subject: str) -> QuerySet[Notice]:
    """Everyone who was told about a subject (`case:<id>`), with their deliveries, oldest first."""
    found = Notice.objects.filter(subject=subject).select_related("person__organization").prefetch_related("deliveries")
    return found.order_by("created_at", "person__username")


def unseen(subject: str) -> QuerySet[Notice]:
    """Who was told about a subject and has not seen it."""
    return told(subject).filter(seen_at__isnull=True)


def undelivered() -> QuerySet[Delivery]:
    """Deliveries that failed or were refused, newest first."""
    found = Delivery.objects.filter(status__in=[Delivery.FAILED, Delivery.REFUSED]).select_related("notice__person")
    return found.order_by("-at")
