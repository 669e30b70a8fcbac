"""Commands to stations: what was asked, by whom, and how far it came."""

from typing import ClassVar

from django.db import models

from haitang.support.infrastructure.things.models import Thing


class StationCommand(models.Model):
    """One command. `state` is queued, one of `exchange`'s states, or withdrawn. `values` as the packet writes them; `told`: what the station replied."""

    id = models.UUIDField(primary_key=True)
    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="+")
    cn = models.CharField(max_length=4)
    values = models.JSONField(default=dict)
    state = models.CharField(max_length=16, default="queued")
    reason = models.CharField(max_length=200, blank=True, default="")
    told = models.JSONField(default=dict)
    qn = models.CharField(max_length=17, blank=True, default="")
    tries = models.SmallIntegerField(default=0)
    packets = models.IntegerField(default=0)
    asked_by = models.CharField(max_length=96)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-asked_at"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state"], name="command_open", condition=models.Q(state__in=["queued", "sent", "executing"]))
        ]

    def __str__(self) -> str:
        return f"{self.thing_id}: {self.cn} {self.state}"
