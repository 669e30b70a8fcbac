"""Values of indicators over time."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class IndicatorValue(models.Model):
    """What an indicator was at `at`, for all (`dimension` and `member` empty) or for one member of a dimension (station: s1).

    `value` None: nothing could be computed. `source_time`: the newest input; `partial`: some things that have sent data had fallen silent by then.
    `origins` of the input (live, replay, simulated); `definition`: digest of what decides the number, so that a chart shows where it changed.
    A row is kept when something changed, and each hour.
    """

    indicator = models.CharField(max_length=64)
    dimension = models.CharField(max_length=64, blank=True, default="")
    member = models.CharField(max_length=128, blank=True, default="")
    at = models.DateTimeField()
    value = models.FloatField(null=True)
    unit = models.CharField(max_length=32)
    target = models.FloatField(null=True)
    source_time = models.DateTimeField(null=True)
    partial = models.BooleanField(default=False)
    origins = ArrayField(models.CharField(max_length=16), default=list)
    definition = models.CharField(max_length=16)
    release = models.CharField(max_length=64)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["indicator", "dimension", "member", "-at"], name="indicator_history"),
        ]

    def __str__(self) -> str:
        return f"{self.indicator} {self.member} = {self.value}"
