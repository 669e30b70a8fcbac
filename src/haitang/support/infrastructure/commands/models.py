"""Commands to things, whatever protocol carries them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from haitang.base.ids import new_id
from haitang.support.infrastructure.things.models import Thing


class DeviceCommand(models.Model):
    """One command to one thing.

    | state | |
    |---|---|
    | queued | waits until the thing listens |
    | sent | on its way; nothing was heard yet |
    | acknowledged | the thing has it (MQTT: PUBACK; HJ 212: 9011 "ready") |
    | done | the thing says that it was carried out |
    | failed | the thing refused it, could not carry it out or did not answer: `reason` |
    | expired | nobody took it before `expires_at` |
    | withdrawn | a person took it back before it was sent |

    `name`: by which its `protocol` offers it; `parameters` as the protocol writes them; `reference`: how the protocol numbers the exchange (HJ 212: QN).
    `confirms` False: the thing listens in a way that acknowledges nothing (MQTT QoS 0), so that it is sent once.
    """

    QUEUED, SENT, ACKNOWLEDGED = "queued", "sent", "acknowledged"
    DONE, FAILED, EXPIRED, WITHDRAWN = "done", "failed", "expired", "withdrawn"
    OPEN = (QUEUED, SENT, ACKNOWLEDGED)
    STATES = (*OPEN, DONE, FAILED, EXPIRED, WITHDRAWN)

    id = models.UUIDField(primary_key=True, default=new_id)
    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="commands")
    protocol = models.CharField(max_length=16)
    name = models.CharField(max_length=64)
    parameters = models.JSONField(default=dict)
    state = models.CharField(max_length=16, default=QUEUED)
    reason = models.CharField(max_length=200, blank=True, default="")
    answer = models.TextField(blank=True, default="")
    reference = models.CharField(max_length=64, blank=True, default="")
    tries = models.SmallIntegerField(default=0)
    packets = models.IntegerField(default=0)
    confirms = models.BooleanField(default=True)
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=100)
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-issued_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "sent", "acknowledged", "done", "failed", "expired", "withdrawn"]), name="command_state"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["thing"], condition=Q(state__in=["queued", "sent", "acknowledged"]), name="command_open_of"),
            models.Index(fields=["thing", "-issued_at"], name="command_of_thing"),
        ]

    def __str__(self) -> str:
        return f"{self.name} -> {self.thing_id}"

    @property
    def organization_id(self) -> str:
        """Whose thing it is, for policies."""
        return self.thing.organization_id
