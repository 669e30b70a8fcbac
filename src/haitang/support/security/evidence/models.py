"""The evidence ledger's tables. Triggers in the database let rows be added and sealed, and nothing else."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Func

if TYPE_CHECKING:
    IntegerLike = models.Field[int, int]
else:
    IntegerLike = models.Field


class TransactionId(IntegerLike):
    """PostgreSQL's xid8: the number of a transaction, never reused."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)


class CurrentTransaction(Func):
    """The number of the running transaction."""

    function = "pg_current_xact_id"
    arity = 0
    output_field = TransactionId()


class SigningKey(models.Model):
    """A public key that seals are or were signed with. Its private half lies in the data directory's `keys/`, mode 0600.

    `previous` endorsed it and it shows possession of itself, both over the statement of key_chain.py; the first key, the root, has no `previous`. It signs from `starts_at` on.
    """

    id = models.CharField(primary_key=True, max_length=16)
    suite = models.CharField(max_length=32)
    public = models.TextField()
    created_at = models.DateTimeField()
    starts_at = models.DateTimeField(null=True)
    previous = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="successors")
    endorsement = models.TextField(blank=True, default="")
    possession = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return self.id


class KeyCompromise(models.Model):
    """From `since` on, signatures of this key prove nothing: declared and signed by the key `by`."""

    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, related_name="compromises")
    since = models.DateTimeField()
    declared_at = models.DateTimeField()
    reason = models.CharField(max_length=64)
    by = models.ForeignKey(SigningKey, on_delete=models.PROTECT, related_name="+")
    signature = models.TextField()

    def __str__(self) -> str:
        return f"{self.key_id} since {self.since}"


class KeyProposal(models.Model):
    """A change of the keys that one officer proposed and another decides: `what` is `rotate` (from `begins` on, else at once) or `compromise` of `key` since `begins`."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    what = models.CharField(max_length=16)
    key = models.ForeignKey(SigningKey, null=True, on_delete=models.PROTECT, related_name="+")
    begins = models.DateTimeField(null=True)
    reason = models.CharField(max_length=64)
    proposed_by = models.CharField(max_length=128)
    proposed_at = models.DateTimeField()
    decided_by = models.CharField(max_length=128, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    approved = models.BooleanField(null=True)
    made = models.ForeignKey(SigningKey, null=True, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.what} {self.key_id or ''}"


class Seal(models.Model):
    """A signed Merkle root over the records of one stretch of the ledger, chained to the seal before it. Digests are lower-case hex.

    `chain` is the digest of the seal's canonical header, in which the previous `chain` stands; `signature` signs `chain`.
    """

    number = models.BigIntegerField(primary_key=True)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    count = models.IntegerField()
    root = models.CharField(max_length=64)
    previous = models.CharField(max_length=64)
    chain = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(db_index=True)
    suite = models.CharField(max_length=32)
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT)
    signature = models.TextField()
    timestamp_token = models.BinaryField(null=True)

    def __str__(self) -> str:
        return f"seal {self.number}"


class EvidenceRecord(models.Model):
    """Who did what to which subject under which release. `digest` is the leaf hash of the canonical record by `suite`; `salt` never leaves the database.

    `transaction` tells the sealer which records can no longer be joined by earlier ones.
    """

    id = models.BigAutoField(primary_key=True)
    ref = models.UUIDField(unique=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=128)
    action = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=128)
    release = models.CharField(max_length=64, blank=True)
    facts = models.JSONField()
    salt = models.BinaryField(max_length=16)
    digest = models.CharField(max_length=64)
    suite = models.CharField(max_length=32, db_default="ed25519-sha256")
    transaction = TransactionId(db_default=CurrentTransaction(), editable=False)
    seal = models.ForeignKey(Seal, null=True, on_delete=models.PROTECT, related_name="records")
    leaf_index = models.IntegerField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["subject_kind", "subject_id", "id"], name="evidence_by_subject"),
            models.Index(fields=["actor", "id"], name="evidence_by_actor"),
            models.Index(fields=["action", "at"], name="evidence_by_action"),
            models.Index(fields=["id"], condition=models.Q(seal__isnull=True), name="evidence_unsealed"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.subject_kind}:{self.subject_id}"


class Access(models.Model):
    """Whose data one recorded access touched, as blind entries (support/security/cryptography/blind.py). The record commits to them by digest."""

    ref = models.UUIDField(primary_key=True)
    subjects = ArrayField(models.BigIntegerField())

    class Meta:
        indexes = (GinIndex(fields=["subjects"], name="evidence_by_person"),)

    def __str__(self) -> str:
        return f"access {self.ref}"


class DayRoot(models.Model):
    """The signed root of one civil day in China that is over (days.py says what is signed)."""

    date = models.DateField(primary_key=True)
    node = models.CharField(max_length=16, blank=True)
    seals = models.IntegerField()
    first_seal = models.BigIntegerField(null=True)
    last_seal = models.BigIntegerField(null=True)
    records = models.BigIntegerField()
    root = models.CharField(max_length=64)
    head = models.CharField(max_length=64)
    suite = models.CharField(max_length=32)
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT)
    signature = models.TextField()
    published_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.node} {self.date}"


class UpstreamReceipt(models.Model):
    """The node above has this day's root: its signed receipt."""

    day = models.OneToOneField(DayRoot, primary_key=True, on_delete=models.PROTECT, related_name="upstream")
    receipt = models.JSONField()
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"receipt {self.day_id}"


class DownstreamNode(models.Model):
    """A node below that hands in its roots, held to its root key."""

    node = models.CharField(primary_key=True, max_length=16)
    title = models.CharField(max_length=128)
    public = models.TextField()
    admitted_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.node


class DownstreamRoot(models.Model):
    """What a node below said of one of its days, with our receipt."""

    node = models.ForeignKey(DownstreamNode, on_delete=models.PROTECT, related_name="roots")
    date = models.DateField()
    statement = models.JSONField()
    receipt = models.JSONField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["node", "date"], name="one_root_a_node_and_day"),)

    def __str__(self) -> str:
        return f"{self.node_id} {self.date}"


class Archive(models.Model):
    """Evidence that left the database for a pair of files (archives.py). `signature` is over what archive_lines.py says."""

    first_seal = models.BigIntegerField(unique=True)
    last_seal = models.BigIntegerField(unique=True)
    records = models.BigIntegerField()
    begins = models.DateTimeField()
    ends = models.DateTimeField()
    file = models.CharField(max_length=128)
    digest = models.CharField(max_length=64)
    private_file = models.CharField(max_length=128)
    private_digest = models.CharField(max_length=64)
    archived_at = models.DateTimeField()
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT)
    signature = models.TextField()

    def __str__(self) -> str:
        return f"seals {self.first_seal} to {self.last_seal}"
