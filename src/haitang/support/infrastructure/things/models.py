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


class ThingLocation(models.Model):
    """Where a thing stood since when: an observation belongs to the place of its time."""

    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="locations")
    longitude = models.FloatField()
    latitude = models.FloatField()
    since = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-since"]

    def __str__(self) -> str:
        return f"{self.thing_id}: {self.longitude}, {self.latitude}"


class MaintenanceWindow(models.Model):
    """A thing is worked on from `starts_at` until `ends_at`: its silence raises no alarm, and its alarms open no case before the window is over.

    `ended_at`: a person ended it early; one that was ended before it began never was. `noted_by`: the ref of who noted it.
    """

    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="windows")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200)
    noted_by = models.CharField(max_length=200)

    class Meta:
        ordering: ClassVar[list[str]] = ["-starts_at", "-id"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["ends_at"], name="maintenance_ends")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="maintenance_ends_after_it_starts"),
        ]

    def __str__(self) -> str:
        return f"{self.thing_id}: {self.starts_at} - {self.ends_at}"

    def state(self, now: datetime) -> str:
        """planned, running, ended (by its time or early) or cancelled (ended before it began)."""
        if self.ended_at is not None:
            return "cancelled" if self.ended_at <= self.starts_at else "ended"
        return "planned" if now < self.starts_at else "running" if now < self.ends_at else "ended"
