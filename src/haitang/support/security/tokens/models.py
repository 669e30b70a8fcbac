"""Registered outside systems, and tokens. A token's secret is shown once and kept as a digest."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from haitang.base.ids import new_id
from haitang.support.security.people.models import Organization, Person


class Client(models.Model):
    """An outside system: whose it is, who answers for it, what it is for. `roles` are what it may at most do; a token narrows them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(max_length=100, unique=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    responsible = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=300)
    roles = ArrayField(models.CharField(max_length=64), default=list)
    active = models.BooleanField(default=True)
    registered_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.title

    @property
    def owner(self) -> str:
        """The ref of who answers for it, for policies: they keep its tokens."""
        return f"staff:{self.responsible_id}"


class Token(models.Model):
    """A token of a person or of a client. `prefix` finds it, `digest` is the SHA-256 of the whole token, `only` limits it to these resources (None: not)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    title = models.CharField(max_length=100)
    person = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="tokens")
    client = models.ForeignKey(Client, null=True, on_delete=models.PROTECT, related_name="tokens")
    scopes = ArrayField(models.CharField(max_length=64))
    only = ArrayField(models.CharField(max_length=200), null=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=128)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(person__isnull=True) ^ Q(client__isnull=True), name="token_of_a_person_or_a_client"),
            models.CheckConstraint(condition=~Q(scopes=[]), name="token_has_scopes"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.prefix})"

    @property
    def holder(self) -> str:
        """The ref of who acts by it."""
        return f"{self.person.kind}:{self.person_id}" if self.person else f"system:{self.client_id}"

    @property
    def owner(self) -> str:
        """The ref of who keeps it, for policies: the person, or who answers for the system."""
        return self.client.owner if self.client else self.holder
