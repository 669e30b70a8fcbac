"""Commands to devices."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from haitang.base.ids import new_id
from haitang.support.infrastructure.things.models import Thing


class DeviceCommand(models.Model):
    """One command to one thing. `state`: queued, delivered (the device has it), done or failed (its own word, or it could not take it), withdrawn.

    `parameters`: by the words that the device's declaration names. A queued one past `expires_at` is never delivered.
    """

    QUEUED, DELIVERED, DONE, FAILED, WITHDRAWN = "queued", "delivered", "done", "failed", "withdrawn"

    id = models.UUIDField(primary_key=True, default=new_id)
    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="commands")
    name = models.CharField(max_length=64)
    parameters = models.JSONField(default=dict)
    state = models.CharField(max_length=16, default=QUEUED)
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=100)
    expires_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True, default="")

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(state__in=["queued", "delivered", "done", "failed", "withdrawn"]), name="command_state"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["thing"], condition=Q(state="queued"), name="command_waiting")]

    def __str__(self) -> str:
        return f"{self.name} -> {self.thing_id}"

    def expired(self, at: datetime) -> bool:
        return self.state == self.QUEUED and at >= self.expires_at
