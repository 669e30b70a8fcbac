"""Runs of gathering, the parts they stage, the rows they hold back, and how files of a source were understood before."""

from typing import ClassVar

from django.db import models

from haitang.base.ids import new_id
from haitang.base.text import T
from haitang.hub.data.gather.states import ENDED


class Run(models.Model):
    """One gathering of one file (or of rows that were mended) into one resource.

    read = accepted + quarantined; accepted = repeated + inserted + updated + unchanged once it is done.
    `position`: where the reader goes on; `left_out`: why rows of the file are no rows of data; `notes`: what a person should know of it.
    """

    class State(models.TextChoices):
        QUEUED = "queued", T("排队")
        RUNNING = "running", T("读取")
        LANDING = "landing", T("入湖")
        DONE = "done", T("完成")
        FAILED = "failed", T("失败")
        CANCELLED = "cancelled", T("已取消")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    resource = models.CharField(max_length=64)
    source = models.CharField(max_length=64, blank=True, default="")
    organization = models.CharField(max_length=64, blank=True, default="")  # who sent it and mends it
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    load = models.CharField(max_length=8, default="update")  # or full; discard: takes a provisional resource out of the lake
    file = models.CharField(max_length=255, blank=True, default="")  # its name
    path = models.TextField(blank=True, default="")  # where it lies, until the run ends
    digest = models.CharField(max_length=64, blank=True, default="")
    columns = models.JSONField(default=dict)  # field -> heading (or two)
    layout = models.JSONField(default=dict)
    synthetic = models.BooleanField(default=False)
    root = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="descendants")  # whose rows were mended
    release = models.CharField(max_length=64, blank=True, default="")
    declared = models.JSONField(null=True)  # what was in force when it began (`releases`)

    position = models.JSONField(null=True)
    parts = models.IntegerField(default=0)
    file_rows = models.BigIntegerField(default=0)
    read = models.BigIntegerField(default=0)
    accepted = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    repeated = models.BigIntegerField(default=0)
    inserted = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    removed = models.BigIntegerField(default=0)
    left_out = models.JSONField(default=dict)
    faults = models.JSONField(default=dict)  # field -> reason -> rows
    filled = models.JSONField(default=dict)  # field -> rows accepted with a value
    notes = models.JSONField(default=list)
    read_bytes = models.BigIntegerField(default=0)
    total_bytes = models.BigIntegerField(default=0)

    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=100)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")
    settled_at = models.DateTimeField(null=True)  # when every quarantined row of it had been dealt with
    matter = models.CharField(max_length=64, blank=True, default="")  # the case that its quarantined rows became

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["resource", "-created_at"], name="runs_of_resource"),
            models.Index(fields=["state", "created_at"], name="runs_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.resource} {self.file}"

    @property
    def ended(self) -> bool:
        return self.state in ENDED


class Part(models.Model):
    """One staged Parquet file of a run, or (`kind` removal) the end of a full load. `root`: over its rows, in a tree of this arity; `first_line`, `last_line`: of
    the file; `block`: its evidence block, once it is in the lake."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="staged")
    number = models.IntegerField()
    kind = models.CharField(max_length=8, default="rows")
    rows = models.IntegerField(default=0)
    root = models.CharField(max_length=64, blank=True, default="")
    arity = models.SmallIntegerField(default=2)
    first_line = models.BigIntegerField(null=True)
    last_line = models.BigIntegerField(null=True)
    landed = models.BooleanField(default=False)
    block = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [models.UniqueConstraint(fields=["run", "number"], name="one_part_a_number")]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["run", "number"], condition=models.Q(landed=False), name="parts_to_land"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} part {self.number}"


class Held(models.Model):
    """A quarantined row: its raw text, line, cells under their headings, and every reason.

    `reasons`: list of {field, code, ...}; field is empty where the whole row is meant. `mended`: heading -> text, what a person made of it.
    """

    class State(models.TextChoices):
        OPEN = "open", T("待处理")
        MENDED = "mended", T("已修改，待提交")
        SUBMITTED = "submitted", T("已重新提交")
        ACCEPTED = "accepted", T("已入库")
        RETURNED = "returned", T("仍未通过，已退回原任务")
        DISMISSED = "dismissed", T("不予入库")

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="held", db_index=False)  # `held_of_run` begins with it
    part = models.IntegerField()
    line = models.BigIntegerField()
    raw = models.TextField()
    cells = models.JSONField()
    reasons = models.JSONField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    mended = models.JSONField(null=True)
    by = models.CharField(max_length=100, blank=True, default="")
    at = models.DateTimeField(null=True)
    note = models.TextField(blank=True, default="")
    submitted_in = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="resubmits", db_index=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["run", "line", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["run", "state", "line"], name="held_of_run"),
            models.Index(fields=["submitted_in"], condition=models.Q(submitted_in__isnull=False), name="held_resubmitted"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} line {self.line}"


class Understanding(models.Model):
    """How the files with these headings were put under the fields of a resource, so that the next one needs no asking."""

    resource = models.CharField(max_length=64)
    headings = models.CharField(max_length=64)  # digest of the sorted headings
    columns = models.JSONField()
    by = models.CharField(max_length=100)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["resource", "headings"], name="one_understanding_of_headings"),
        ]

    def __str__(self) -> str:
        return f"{self.resource}: {len(self.columns)} columns"
