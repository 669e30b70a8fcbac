"""The twin: the latest reading of each property of each thing."""

from typing import ClassVar

from django.db import models


class Reading(models.Model):
    """The newest reading of one property and statistic (as declarations write it, `hour mean`) of one thing. Times are aware."""

    thing = models.CharField(max_length=128)
    property = models.CharField(max_length=128)
    statistic = models.CharField(max_length=32)
    node = models.CharField(max_length=32)
    unit = models.CharField(max_length=32)
    quality = models.CharField(max_length=32)
    origin = models.CharField(max_length=16)
    source_ref = models.TextField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    received_at = models.DateTimeField()
    number = models.FloatField(null=True)
    text = models.TextField(null=True)  # noqa: DJ001  exactly one of the four values is set
    boolean = models.BooleanField(null=True)
    geometry = models.TextField(null=True)  # noqa: DJ001

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["thing", "property", "statistic"], name="one_latest_reading"),
        ]

    def __str__(self) -> str:
        return f"{self.thing}.{self.property}, {self.statistic}"


class Position(models.Model):
    """Up to which block of the lake the twin has come; one row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    block = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.block)
