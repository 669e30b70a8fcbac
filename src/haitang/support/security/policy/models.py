"""What was refused to whom, counted by day, so that it can be explained and cannot flood anything."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from haitang.base.ids import new_id


class Refusal(models.Model):
    """An actor was refused a permission on a subject, so often on this day.

    `code` is what a person reads out on the telephone. `subject` is what policies saw of the resource (`entities.Subject`), shown to security officers only.
    `evidence`: the ref of its record in the ledger, where it has one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=16, unique=True)
    actor = models.CharField(max_length=128)
    organization = models.CharField(max_length=64, blank=True, default="")
    permission = models.CharField(max_length=64)
    subject_ref = models.CharField(max_length=200)
    subject = models.JSONField(default=dict)
    decision = models.CharField(max_length=32)
    reason = models.TextField()
    policies = ArrayField(models.CharField(max_length=160), default=list)
    token = models.CharField(max_length=64, blank=True, default="")
    way = models.CharField(max_length=200)
    release = models.CharField(max_length=64, blank=True, default="")
    day = models.DateField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=1)
    evidence = models.UUIDField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["actor", "permission", "subject_ref", "day"], name="one_refusal_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.permission}"
