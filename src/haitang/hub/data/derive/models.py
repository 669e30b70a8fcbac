"""Runs of derivations."""

from django.db import models


class DerivationRun(models.Model):
    """One computation of one derivation. `buckets` is null where the whole table was made anew; `failures` is a list of {test, rows, examples}."""

    derivation = models.CharField(max_length=64)
    release = models.CharField(max_length=128, blank=True)
    digest = models.CharField(max_length=64)
    position = models.BigIntegerField()
    started = models.DateTimeField()
    finished = models.DateTimeField()
    rows = models.BigIntegerField(default=0)
    buckets = models.BigIntegerField(null=True)
    failures = models.JSONField(default=list)
    error = models.TextField(blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["derivation", "-started"], name="derivation_runs")]

    def __str__(self) -> str:
        return f"{self.derivation} {self.started:%Y-%m-%d %H:%M:%S}"
