"""Things: the devices that observe."""

from datetime import datetime
from typing import ClassVar

from django.db import models


class Thing(models.Model):
    """One device. Seeded from the place's folder, or admitted provisionally in commissioning mode; from then on this table rules.

    `status`: provisional (its data is stored, a person has not decided), admitted, retired (no longer listened to).
    `origin`: live, replay or simulated, for everything it sends. `password` and `sm4_key` are kept readable, because the protocols ask us to send or use them.
    `address`: network that it must connect from (CIDR), empty for any.
    Longitude and latitude in degrees, CGCS2000 (EPSG:4490).
    """

    PROVISIONAL, ADMITTED, RETIRED = "provisional", "admitted", "retired"

    id = models.CharField(primary_key=True, max_length=64)
    title = models.CharField(max_length=200)
    device = models.CharField(max_length=64, blank=True, default="")
    organization_id = models.CharField(max_length=64, blank=True, default="")
    division = models.CharField(max_length=12, blank=True, default="")
    longitude = models.FloatField(null=True, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    mn = models.CharField(max_length=48, unique=True, null=True, blank=True)
    password = models.CharField(max_length=64, blank=True, default="")
    sm4_key = models.CharField(max_length=16, blank=True, default="")
    address = models.CharField(max_length=64, blank=True, default="")
    status = models.CharField(max_length=16, default=ADMITTED)
    origin = models.CharField(max_length=16, default="live")
    first_seen = models.DateTimeField(null=True, blank=True)
    last_seen = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(status__in=["provisional", "admitted", "retired"]), name="thing_status"),
            models.CheckConstraint(condition=models.Q(origin__in=["live", "replay", "simulated"]), name="thing_origin"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def owner(self) -> str:
        """The device itself, as policies name it."""
        return f"device:{self.pk}"

    @property
    def stage(self) -> str:
        return self.status


class ThingGroup(models.Model):
    """Things that are looked after together; a thing may be in several. Seeded from the place's folder, or made on a page.

    `organization_id`: who looks after them, empty for nobody in particular.
    """

    id = models.CharField(primary_key=True, max_length=64)
    title = models.CharField(max_length=200)
    note = models.CharField(max_length=500, blank=True, default="")
    organization_id = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering: ClassVar[list[str]] = ["title", "id"]

    def __str__(self) -> str:
        return self.title


class Membership(models.Model):
    """A thing is in a group from `since` until `until` (None: still). What was ended stays, so that the folder does not bring it back."""

    group = models.ForeignKey(ThingGroup, on_delete=models.CASCADE, related_name="memberships")
    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="memberships")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["group", "thing"], condition=models.Q(until=None), name="in_a_group_once"),
        ]

    def __str__(self) -> str:
        return f"{self.thing_id} in {self.group_id}"


class ThingLocation(models.Model):
    """Where a thing stood since when: an observation belongs to the place of its time. Degrees, CGCS2000.

    `moved_by`: the ref of who noted it; `stated`: the coordinates as they were told, with their system, where it was another one.
    """

    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="locations")
    longitude = models.FloatField()
    latitude = models.FloatField()
    since = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True, default="")
    moved_by = models.CharField(max_length=200, blank=True, default="")
    stated = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        ordering: ClassVar[list[str]] = ["-since"]

    def __str__(self) -> str:
        return f"{self.thing_id}: {self.longitude}, {self.latitude}"


class MaintenanceWindow(models.Model):
    """A thing is worked on from `starts_at` until `ends_at`: its silence raises no alarm, and its alarms open no case before the window is over.

    `ended_at`: a person ended it early; one that was ended before it began never was. `noted_by`: the ref of who noted it. `group`: the id of the
    group of things that it was noted for, empty where it was this thing alone.
    """

    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="windows")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200)
    noted_by = models.CharField(max_length=200)
    group = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering: ClassVar[list[str]] = ["-starts_at", "-id"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["ends_at"], name="maintenance_ends")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="maintenance_ends_after_it_starts"),
        ]

    def __str__(self) -> str:
        return f"{self.thing_id}: {self.starts_at} - {self.ends_at}"

    @property
    def organization_id(self) -> str:
        """Whose thing it is, for policies."""
        return self.thing.organization_id

    def state(self, now: datetime) -> str:
        """planned, running, ended (by its time or early) or cancelled (ended before it began)."""
        if self.ended_at is not None:
            return "cancelled" if self.ended_at <= self.starts_at else "ended"
        return "planned" if now < self.starts_at else "running" if now < self.ends_at else "ended"
