"""Invitations, requests for roles, imports."""

from django.db import models

from haitang.base.ids import new_id
from haitang.support.security.people.models import Person


class Invitation(models.Model):
    """A link by which a person sets their own password, once, until `expires_at`. Only a keyed digest of its token is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="invitations")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=80)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.person_id} until {self.expires_at:%Y-%m-%d}"


class RoleRequest(models.Model):
    """The system administrator asks for a role for somebody; the security administrator decides. `approved` is empty while it waits."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="role_requests")
    role = models.CharField(max_length=64)
    asked_by = models.CharField(max_length=80)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    approved = models.BooleanField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "role"], condition=models.Q(decided_at__isnull=True), name="one_open_role_request"),
        )

    def __str__(self) -> str:
        return f"{self.person_id}: {self.role}"


class StaffImport(models.Model):
    """A workbook that was read: its rows wait for the person who looked at them; `applied_at` when they became people."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    rows = models.JSONField()
    read_by = models.CharField(max_length=80)
    read_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name
