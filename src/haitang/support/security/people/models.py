"""Organizations, people and the roles they hold, how people proved themselves, and their sessions."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q

from haitang.base.ids import new_id

STAFF, CITIZEN, ENTERPRISE = "staff", "citizen", "enterprise"
SORTS = (STAFF, CITIZEN, ENTERPRISE)


class Organization(models.Model):
    """An organization of the place, seeded from its folder; `fills` are the organization roles it fills."""

    id = models.CharField(primary_key=True, max_length=64)
    title = models.CharField(max_length=200)
    fills = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    division = models.CharField(max_length=12, blank=True, default="")
    active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.title


class Human(models.Model):
    """The human being behind accounts: one may be staff and citizen too. Accounts share nothing but this row, by which nobody serves themselves.

    `identity`: keyed digest of the resident ID number, where it is known; the number itself is not kept.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    identity = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 - unknown for many, unique for the rest

    def __str__(self) -> str:
        return str(self.id)


class People(BaseUserManager["Person"]):
    """Finds people by their sign-in name."""


class Person(AbstractBaseUser):
    """An account of a human being or enterprise that signs in. `kind` is its sort; the database lets a citizen or enterprise hold no role and belong
    to no organization. `synthetic` marks made-up people of the demo and tests.

    `must_change_password`: the password was set by someone else and is good for one sign-in. `left_at`: left the service; the account stays for what it did.
    `staff_number`: what the personnel office calls a member of staff; imports and outside sign-in go by it. `uscc`: an enterprise's unified social credit code.
    """

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, default=STAFF)
    human = models.ForeignKey(Human, null=True, blank=True, on_delete=models.PROTECT, related_name="accounts")
    organization = models.ForeignKey(Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="people")
    staff_number = models.CharField(max_length=32, null=True, blank=True, unique=True)
    uscc = models.CharField(max_length=18, null=True, blank=True, unique=True)
    email = models.EmailField(blank=True, default="")
    mobile = models.CharField(max_length=20, blank=True, default="")
    dingtalk = models.CharField(max_length=64, blank=True, default="")
    synthetic = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    password_set_at = models.DateTimeField(null=True, blank=True)
    joined_at = models.DateTimeField(auto_now_add=True)
    left_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[People] = People()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(kind__in=SORTS), name="person_sort_is_known"),
            models.CheckConstraint(
                condition=Q(kind=STAFF) | Q(organization__isnull=True, staff_number__isnull=True), name="only_staff_in_organizations"
            ),
            models.CheckConstraint(condition=Q(kind=ENTERPRISE) | Q(uscc__isnull=True), name="only_enterprises_have_uscc"),
            models.UniqueConstraint(fields=["id", "kind"], name="person_and_sort"),
        ]

    def __str__(self) -> str:
        return self.name


class RoleHolding(models.Model):
    """A member of staff holds a role (an id of the kind `role`), in the organization they belong to.

    The table also has a column `kind`, always `staff`, that a foreign key ties to the person's: no other sort of account can hold a role.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="holdings")
    role = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "role"], name="one_holding_per_role"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.role}"


class Delegation(models.Model):
    """`taker` acts on behalf of `giver` between two moments, with those of `roles` that the giver still holds. `ended_at`: ended before its time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    giver = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="delegations_given")
    taker = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="delegations_taken")
    roles = ArrayField(models.CharField(max_length=64))
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True, default="")
    made_by = models.CharField(max_length=80)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="delegation_ends_after_it_starts"),
            models.CheckConstraint(condition=~Q(giver=models.F("taker")), name="nobody_delegates_to_themselves"),
        ]

    def __str__(self) -> str:
        return f"{self.giver_id} -> {self.taker_id}"


class PastPassword(models.Model):
    """The hash of a password that a person had."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="past_passwords")
    password = models.CharField(max_length=128)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.person_id} {self.at:%Y-%m-%d}"


class Throttle(models.Model):
    """Failed proofs in a row by one key: an account name, a browser that the account knows, or an address. `until`: none is looked at before."""

    key = models.CharField(primary_key=True, max_length=100)
    failures = models.PositiveIntegerField(default=0)
    until = models.DateTimeField(null=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class Session(AbstractBaseSession):
    """A browser or program that is signed in (or about to be: `person` is then empty). Deleting the row ends it with the next request.

    `wall`: a screen's, which is nobody's (`walls`).
    """

    id = models.UUIDField(default=new_id, editable=False, unique=True)
    person = models.ForeignKey(Person, null=True, on_delete=models.CASCADE, related_name="sessions")
    by = models.CharField(max_length=32, blank=True, default="")
    address = models.CharField(max_length=64, blank=True, default="")
    agent = models.CharField(max_length=300, blank=True, default="")
    wall = models.UUIDField(null=True, db_index=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "people_session"

    @classmethod
    def get_session_store_class(cls):  # type: ignore[no-untyped-def]
        from haitang.support.security.people.session_store import SessionStore

        return SessionStore
