"""Device credentials: what a device shows where its protocol lets it sign in (MQTT, HTTP)."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from haitang.support.infrastructure.things.models import Thing


class DeviceCredential(models.Model):
    """An identifier and the digest of a secret that was shown once; a thing may have several.

    `digest` is SHA-256(salt || secret). The secret is 256 random bits of ours, never a person's choice: nothing is there to guess, so a fast hash is enough,
    and thousands of devices that reconnect at once cost nothing (docs/adr/0031).
    `origin` replay: whatever is sent with it is marked replay, whatever the thing's own origin; live: as the thing says.
    `replaces`: the credential that ends when this one is first used. `ended_at`: revoked, or replaced.
    """

    identifier = models.CharField(primary_key=True, max_length=32)
    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="credentials")
    label = models.CharField(max_length=100, blank=True, default="")
    origin = models.CharField(max_length=16, default="live")
    salt = models.BinaryField(max_length=16)
    digest = models.BinaryField(max_length=32)
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=100)
    valid_until = models.DateTimeField(null=True, blank=True)
    replaces = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="replacements")
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=200, blank=True, default="")
    first_used = models.DateTimeField(null=True, blank=True)
    last_used = models.DateTimeField(null=True, blank=True)
    last_address = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering: ClassVar[list[str]] = ["-issued_at", "identifier"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(origin__in=["live", "replay"]), name="credential_origin"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["thing"], condition=Q(ended_at=None), name="credential_current")]

    def __str__(self) -> str:
        return self.identifier

    def holds(self, at: datetime) -> bool:
        """Whether it lets in at `at`."""
        return self.ended_at is None and (self.valid_until is None or at < self.valid_until)
