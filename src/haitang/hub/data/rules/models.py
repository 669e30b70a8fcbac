"""What rules remember, the alarms they raised, and how far they have read the stream."""

from typing import ClassVar

from django.db import models

from haitang.base.ids import new_id


class RuleState(models.Model):
    """The machine of one rule on one thing. `fingerprint`: the words it was made under (`definition.fingerprint`).

    `buffer`: what the rule still looks back at (`Buffer.packed`). `ahead`: the messages of the stream that are in it although the consumer's offset does
    not say so yet, `[identity, ranges]`; null where it holds just what the offset says.
    """

    rule = models.CharField(max_length=64)
    thing = models.CharField(max_length=128)
    fingerprint = models.TextField()
    state = models.JSONField()
    buffer = models.BinaryField(default=bytes)
    ahead = models.JSONField(null=True)
    release = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["rule", "thing"], name="one_state_per_rule_and_thing"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} on {self.thing}"


class Alarm(models.Model):
    """One alarm, from opening to clearing.

    `opened_at` and `cleared_at` are event time (for silence: time of reception), `raised_at` is when we knew. `episode`: the machine's key.
    `withdrawn_at`: late data showed that it should not have been raised. `corrections`: each change of what had been said, oldest first.
    `held`: raised while its thing was in maintenance, so it opened no case then.
    `origin` is that of the observations that raised it: live, replay or simulated.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    thing = models.CharField(max_length=128)
    property = models.CharField(max_length=128, blank=True, default="")
    statistic = models.CharField(max_length=32, blank=True, default="")
    severity = models.CharField(max_length=16)
    episode = models.BigIntegerField()
    opened_at = models.DateTimeField()
    raised_at = models.DateTimeField()
    value = models.FloatField(null=True)
    cleared_at = models.DateTimeField(null=True)
    cleared_value = models.FloatField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    corrections = models.JSONField(default=list)
    case_kind = models.CharField(max_length=64, blank=True, default="")
    case = models.CharField(max_length=64, null=True)  # noqa: DJ001  null: no case has been opened
    origin = models.CharField(max_length=16)
    release = models.CharField(max_length=64)
    held = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["-opened_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["rule", "thing", "episode"], name="one_alarm_per_episode"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["thing", "-opened_at"], name="alarm_thing"),
            models.Index(fields=["-opened_at"], condition=models.Q(cleared_at__isnull=True, withdrawn_at__isnull=True), name="alarm_open"),
        ]

    def __str__(self) -> str:
        return f"{self.title}: {self.thing}"


class ConsumerOffset(models.Model):
    """Which messages of the stream `identity` a consumer has taken in: closed ranges [[first, last], ...] of sequence numbers, ascending."""

    name = models.CharField(primary_key=True, max_length=64)
    identity = models.CharField(max_length=200, blank=True, default="")
    ranges = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name
