"""Screens on a wall."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from haitang.base.ids import new_id


class Wall(models.Model):
    """A screen and what it may read. `digest`: of the code that opens it, once, before `opens_before`; `ends_at`: when it goes dark whatever happens."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(max_length=100)
    scopes = ArrayField(models.CharField(max_length=64))
    digest = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 - unique where there is a code
    opens_before = models.DateTimeField()
    granted_by = models.CharField(max_length=80)
    granted_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~models.Q(scopes=[]), name="wall_reads_something"),
        ]

    def __str__(self) -> str:
        return self.title
