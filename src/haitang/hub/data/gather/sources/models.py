"""What the platform remembers of a source that it asks or watches: where it stands, its password, the files it took."""

from typing import ClassVar

from django.db import models

from haitang.base.text import T


class SourceState(models.Model):
    """One source. `cursor`: from where the next pull goes on; `password`: sealed; `run`: the last one that it started."""

    id = models.CharField(primary_key=True, max_length=64)
    password = models.TextField(blank=True, default="")
    cursor = models.JSONField(null=True)
    paused = models.BooleanField(default=False)
    asked_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    rows = models.BigIntegerField(null=True)
    run = models.CharField(max_length=64, blank=True, default="")
    error = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return self.id


class TakenFile(models.Model):
    """A file of a watched folder, by name while it settles and by its digest once it is taken."""

    class State(models.TextChoices):
        SETTLING = "settling", T("等待写完")
        TAKEN = "taken", T("已采集")
        REPEATED = "repeated", T("内容重复，未再采集")
        FAILED = "failed", T("失败")

    source = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    changed_ns = models.BigIntegerField()  # modification time, nanoseconds
    seen_at = models.DateTimeField()  # since when it has had this size and time
    state = models.CharField(max_length=10, choices=State.choices, default=State.SETTLING)
    digest = models.CharField(max_length=64, blank=True, default="")
    run = models.CharField(max_length=64, blank=True, default="")
    moved_to = models.TextField(blank=True, default="")
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering: ClassVar[list[str]] = ["-seen_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["source", "name", "size", "changed_ns"], name="one_sighting_of_a_file"),
            models.UniqueConstraint(fields=["source", "digest"], condition=models.Q(state="taken"), name="taken_once_by_content"),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.name}"
