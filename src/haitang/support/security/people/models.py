"""Organizations, people and the roles they hold."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models

from haitang.base.ids import new_id


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


class People(BaseUserManager["Person"]):
    """Finds people by their sign-in name."""


class Person(AbstractBaseUser):
    """A person who signs in. `kind` tells staff from citizens and enterprises; `synthetic` marks made-up people of the demo and tests.

    `must_change_password`: the password was set by someone else and is good for one sign-in. `locked_until`: too many wrong passwords.
    """

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, default="staff")
    organization = models.ForeignKey(Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="people")
    email = models.EmailField(blank=True, default="")
    mobile = models.CharField(max_length=20, blank=True, default="")
    dingtalk = models.CharField(max_length=64, blank=True, default="")
    synthetic = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    failed_attempts = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[People] = People()

    def __str__(self) -> str:
        return self.name


class RoleHolding(models.Model):
    """A person holds a role (an id of the kind `role`), in the organization they belong to."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="holdings")
    role = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "role"], name="one_holding_per_role"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.role}"
