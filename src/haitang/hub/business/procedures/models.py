"""Runs of procedures: the append-only log, and the projection that lists and deadlines read."""

from typing import ClassVar

from django.db import models

from haitang.base.ids import new_id


class Run(models.Model):
    """One run, as its log says: every column but `id`, `procedure` and the subject can be computed again from the events.

    `next_at`: when the worker must look at it next; `seen`: digest of calendar and release with which it was last projected.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    procedure = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=64)
    stage = models.CharField(max_length=64)
    stage_due_at = models.DateTimeField(null=True)
    legal_due_at = models.DateTimeField(null=True)
    provisional = models.BooleanField(default=False)
    paused = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    release = models.CharField(max_length=64)
    next_at = models.DateTimeField(null=True)
    seen = models.CharField(max_length=64, default="")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["subject_kind", "subject_id"], name="one_run_per_subject"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["next_at"], condition=models.Q(next_at__isnull=False), name="run_next"),
            models.Index(fields=["seen"], condition=models.Q(ended_at__isnull=True), name="run_seen_open"),
            models.Index(fields=["stage", "legal_due_at"], name="run_stage_due"),
        ]

    def __str__(self) -> str:
        return f"{self.procedure} {self.id}"


class RunEvent(models.Model):
    """One event of a run. A trigger refuses to change or delete it. `data` is events.to_json; `on_behalf_of` the ref of whose duty it was, if delegated."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="events")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=32)
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    actor_name = models.CharField(max_length=160)
    organization = models.CharField(max_length=64, null=True)  # noqa: DJ001 - None says that the actor has none, as in Actor
    release = models.CharField(max_length=64)
    data = models.JSONField()
    on_behalf_of = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        ordering: ClassVar[list[str]] = ["run", "number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "number"], name="one_event_per_number"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.number} {self.kind}"


class Definition(models.Model):
    """A procedure as it stood in a release under which a run goes, kept for as long as the run: a log without its rules says little.

    `body` is JSON as text: moves and stages keep the order in which they are written, which a jsonb column would lose.
    """

    release = models.CharField(max_length=64)
    procedure = models.CharField(max_length=64)
    body = models.TextField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["release", "procedure"], name="one_definition_per_release"),
        ]

    def __str__(self) -> str:
        return f"{self.procedure} @ {self.release[:12]}"


class Escalated(models.Model):
    """A reminder or escalation that was given, once per run and deadline. `told` counts the people; 0: passed over, too late to remind."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="escalated")
    key = models.CharField(max_length=64)
    at = models.DateTimeField()
    told = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "key"], name="escalated_once"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.key}"
