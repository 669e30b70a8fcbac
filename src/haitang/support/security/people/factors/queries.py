"""Reads about factors."""

from dataclasses import dataclass

from haitang.support.security.people.factors.models import Authenticator, Passkey, RecoveryCode
from haitang.support.security.people.models import Person


@dataclass(frozen=True)
class Factors:
    """What a person has to prove themselves with."""

    authenticators: list[Authenticator]
    passkeys: list[Passkey]
    recovery_codes: int

    def __bool__(self) -> bool:
        return bool(self.authenticators or self.passkeys)


def factors_of(person: Person) -> Factors:
    """Confirmed factors; `recovery_codes` counts those that are left."""
    return Factors(
        list(Authenticator.objects.filter(person=person, confirmed_at__isnull=False).order_by("created_at")),
        list(Passkey.objects.filter(person=person).order_by("created_at")),
        RecoveryCode.objects.filter(person=person, used_at=None).count(),
    )


def has_factor(person: Person) -> bool:
    """Whether a password alone does not let this person in."""
    return (
        Authenticator.objects.filter(person=person, confirmed_at__isnull=False).exists() or Passkey.objects.filter(person=person).exists()
    )
