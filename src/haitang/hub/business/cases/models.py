"""Cases, their attachments, and the counter of their numbers."""

from typing import ClassVar

from django.db import models

from haitang.base.ids import new_id
from haitang.hub.business.procedures.models import Run
from haitang.support.security.people.models import Organization, Person


class Case(models.Model):
    """One case. Stage, deadlines and end mirror its run, so that lists and indicators read one table.

    `number`: node, year and serial (division code, year, six digits), without gaps. `matter_key`: what it stands for while it is open; of a case opened by hand, the submission that opened it or empty.
    `organization` and `handler`: who has it now. `source`: where it came from (an id of the kind case_source; empty: not known, before there were sources).
    `filed_at`: when it was filed (立案); None while a report waits for that, or where it was not filed (不予立案). `origin`: live, replay or simulated. `closed_on_time`: None while open or where no limit applies.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=24, unique=True)
    case_kind = models.CharField(max_length=64)
    code = models.CharField(max_length=16)
    title = models.CharField(max_length=200)
    severity = models.CharField(max_length=16)
    description = models.TextField(blank=True, default="")
    run = models.OneToOneField(Run, null=True, on_delete=models.PROTECT, related_name="case")
    stage = models.CharField(max_length=64, default="")
    stage_due_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    provisional = models.BooleanField(default=False)
    paused = models.BooleanField(default=False)
    returned = models.PositiveIntegerField(default=0)
    extended = models.PositiveIntegerField(default=0)
    source = models.CharField(max_length=64, blank=True, default="")
    filed_at = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True)
    handled_at = models.DateTimeField(null=True)
    thing = models.CharField(max_length=64, null=True)  # noqa: DJ001 - a case need not be about a thing
    alarm = models.CharField(max_length=64, null=True)  # noqa: DJ001 - nor come from an alarm
    organization = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT, related_name="cases")
    handler = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="cases")
    division = models.CharField(max_length=12, blank=True, default="")
    longitude = models.FloatField(null=True)
    latitude = models.FloatField(null=True)
    origin = models.CharField(max_length=16, default="live")
    matter_key = models.CharField(max_length=200, blank=True, default="")
    cause_cleared_at = models.DateTimeField(null=True)
    facts = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_on_time = models.BooleanField(null=True)
    release = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["matter_key"],
                condition=models.Q(closed_at__isnull=True) & ~models.Q(matter_key=""),
                name="one_open_case_per_matter",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-opened_at"], name="case_opened"),
            models.Index(fields=["organization", "stage"], name="case_organization"),
            models.Index(fields=["due_at"], condition=models.Q(closed_at__isnull=True), name="case_open_due"),
            models.Index(fields=["thing"], name="case_thing"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


class CaseAttachment(models.Model):
    """A file of a case; its bytes lie in the file store under `digest`.."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="attachments")
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    by = models.CharField(max_length=80)
    by_name = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["case", "digest"], name="one_file_per_case"),
        ]

    def __str__(self) -> str:
        return self.name


class CaseCounter(models.Model):
    """The last number given in a year at a node. Its row is locked while a case is opened, so a rolled-back case leaves no gap."""

    node = models.CharField(max_length=12)
    year = models.PositiveIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["node", "year"], name="one_counter_per_year"),
        ]

    def __str__(self) -> str:
        return f"{self.node}-{self.year}"
