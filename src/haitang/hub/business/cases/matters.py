"""Serves the port `matters`: what needs handling becomes a case."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from haitang.base.actions import Act
from haitang.base.ports import Matter
from haitang.hub.business.cases.actions import Where, clear_cause, open_case
from haitang.hub.business.cases.models import Case
from haitang.support.infrastructure.things.models import Thing
from haitang.support.infrastructure.things.queries import locations_at


class CaseMatters:
    """One case stands for a matter while it lasts."""

    def raise_matter(self, matter: Matter, *, act: Act) -> str:
        """Open the case of a matter, or find the one that stands for it: an open one of the same key, or any of the same alarm."""
        found = _standing(matter)
        if found is None:
            try:
                with transaction.atomic():
                    found = _open(matter, act)
            except IntegrityError:  # another transaction opened it first
                found = _standing(matter)
                if found is None:
                    raise
        return str(found.pk)

    def note_cleared(self, key: str, *, at: datetime, act: Act) -> None:
        """Put on the timeline that the cause has cleared; the case stays open, since somebody must still look."""
        for case in Case.objects.filter(matter_key=key, closed_at__isnull=True, cause_cleared_at__isnull=True):
            clear_cause(act=act, case=case, at=at)

    def number_of(self, id: str) -> str:
        """The case's number; empty where there is none."""
        return Case.objects.filter(pk=id).values_list("number", flat=True).first() or ""


def _standing(matter: Matter) -> Case | None:
    same = Q(matter_key=matter.key, closed_at__isnull=True)
    if matter.alarm:
        same |= Q(alarm=matter.alarm)
    return Case.objects.filter(same).order_by("opened_at").first()


def _place(thing: str, at: datetime) -> tuple[str, float | None, float | None] | None:
    """Where a thing stood when the matter arose: it may have been moved since."""
    known = Thing.objects.filter(pk=thing).values_list("division", "longitude", "latitude").first()
    then = locations_at([thing], at).get(thing)
    return (known[0], then.longitude, then.latitude) if known and then else known


def _open(matter: Matter, act: Act) -> Case:
    place = _place(matter.thing, matter.arose_at) if matter.thing else None
    return open_case(
        act=act,
        kind=matter.case_kind,
        title=matter.title,
        severity=matter.severity,
        description=matter.description,
        where=Where(matter.thing, *(place or ())),
        matter=matter,
    )
