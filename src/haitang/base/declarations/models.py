"""Releases of declarations, their admissions, the edits that people approved, and what was proposed from data."""

from typing import ClassVar

from django.db import models

from haitang.base.ids import new_id


class Release(models.Model):
    """One content-addressed release; kept for ever, so that what was done under it can be explained."""

    digest = models.CharField(primary_key=True, max_length=64)
    content = models.JSONField()  # base.declarations.content.content_of
    folders = models.JSONField(default=dict)  # "where:name" -> folder it was read from; not part of the digest
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.digest[:12]


class Admission(models.Model):
    """A release came in force. The latest admission is the pointer; the others are its history."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="admissions")
    admitted_at = models.DateTimeField()
    by = models.CharField(max_length=100)
    evidence = models.CharField(max_length=100, blank=True, default="")
    changes = models.JSONField(default=list)  # what it changed, as haitang plan told it

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        return f"{self.release_id[:12]} at {self.admitted_at:%Y-%m-%d %H:%M}"


class Decided(models.Model):
    """What one proposes and another decides."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    proposed_by = models.CharField(max_length=100)
    proposed_at = models.DateTimeField()
    decided_by = models.CharField(max_length=100, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True, default="")

    class Meta:
        abstract = True


class Edit(Decided):
    """A tunable key edited on a page: proposed by one person, approved by another, in force from its date."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", "待审批"
        APPROVED = "approved", "已批准"
        REJECTED = "rejected", "未批准"
        WITHDRAWN = "withdrawn", "已撤回"

    kind = models.CharField(max_length=64)
    declaration = models.CharField(max_length=64)
    key = models.CharField(max_length=200)  # key path, as errors print it
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    effective = models.DateField()  # China date
    reason = models.TextField()
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PROPOSED)
    consent_by = models.CharField(max_length=100, blank=True, default="")  # the security administrator, where the kind needs one
    consent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["effective", "decided_at", "id"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["status", "effective"], name="edits_in_force")]

    def __str__(self) -> str:
        return f"{self.kind} {self.declaration}: {self.key}"


class Provisional(Decided):
    """Declarations that were proposed from data, in force beside the release until somebody adopts or discards them (docs/adr/0061).

    `files`: relative path -> text, as a place would hold them; `about`: what was seen and doubted, for the page. A release that declares the same id
    takes its place.
    """

    class Status(models.TextChoices):
        PROVISIONAL = "provisional", "暂定"
        ADOPTED = "adopted", "已采纳"
        LEAVING = "leaving", "正在撤去"
        DISCARDED = "discarded", "已撤去"

    declaration = models.CharField(max_length=64)  # the id of the resource
    title = models.CharField(max_length=200)
    files = models.JSONField()
    about = models.JSONField(default=dict)
    organization = models.CharField(max_length=64, blank=True, default="")  # whose data it is
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PROVISIONAL)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["declaration"], condition=~models.Q(status="discarded"), name="one_provisional_of_an_id"),
        ]

    def __str__(self) -> str:
        return f"{self.declaration} {self.title}"


class Proposal(Decided):
    """A release that changes who may do what: it waits for the consent of the security administrator."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", "待安全管理员批准"
        APPROVED = "approved", "已批准"
        REJECTED = "rejected", "未批准"
        SUPERSEDED = "superseded", "已被新的版本取代"

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="proposals")
    replaces = models.CharField(max_length=64)  # the release that was in force: consent is to the change from this one
    changes = models.JSONField(default=list)  # every change, as haitang plan told it
    permissions = models.JSONField(default=list)  # what it does to permissions and sign-in (ports.second_key)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PROPOSED)

    class Meta:
        ordering: ClassVar[list[str]] = ["-proposed_at", "-id"]

    def __str__(self) -> str:
        return f"{self.release_id[:12]}: {self.status}"
