"""What people prove themselves with beside a password."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from haitang.base.ids import new_id
from haitang.support.security.people.models import Person


class Authenticator(models.Model):
    """An app that shows codes. `secret` is sealed; `last_step` is the newest time step (30 s) whose code was used: no code counts twice."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="authenticators")
    secret = models.TextField()
    last_step = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.person_id}: authenticator"


class Passkey(models.Model):
    """A public key whose private half a device or security key keeps. `sign_count` only grows, where the device counts at all."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="passkeys")
    credential = models.BinaryField(unique=True, max_length=1023)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    transports = ArrayField(models.CharField(max_length=16), default=list)
    title = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.person_id}: {self.title}"


class RecoveryCode(models.Model):
    """A keyed digest of a code that is good once, for who lost every factor."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "digest"], name="one_recovery_code"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: recovery code"


class Enrolment(models.Model):
    """A code that lets the holder of an office register a first factor, once, until `expires_at`. Only a keyed digest is kept; `opened_at`: it was entered."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="enrolments")
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.CharField(max_length=80)
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.person_id} until {self.expires_at:%Y-%m-%d}"
