"""The three officers (三员分立, GB/T 22239-2019 8.1.6): system, security and audit administrator are different human beings who hold nothing else."""

from collections.abc import Collection, Iterable, Mapping

from django.db.models import Q

from haitang.base import clock
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Delegation, Person, RoleHolding

ADMINISTRATOR, SECURITY_ADMINISTRATOR, AUDIT_ADMINISTRATOR = "administrator", "security_administrator", "audit_administrator"
OFFICERS = (ADMINISTRATOR, SECURITY_ADMINISTRATOR, AUDIT_ADMINISTRATOR)

ROLES_APART = error("people.roles_apart", 409, "“{role}”和“{held}”不能由同一人担任。请先收回其中一个，或换一人担任。")


def same_human(person: Person) -> Q:
    """Accounts behind which the same human being stands, so far as it can be told: the same human, or the same way to reach them."""
    found = Q(pk=person.pk)
    if person.human_id:
        found |= Q(human_id=person.human_id)
    for name in ("email", "mobile", "dingtalk"):
        if value := getattr(person, name):
            found |= Q(**{name: value})
    return found


def one_human(first: Person, second_ref: str) -> bool:
    """Whether an account and the one that a ref (`staff:<id>`) names belong to one human being."""
    kind, _, id = second_ref.partition(":")
    if kind not in ("staff", "citizen", "enterprise"):
        return False
    return Person.objects.filter(same_human(first), pk=id).exists()


def is_officer(person: Person) -> bool:
    """Whether a real person is one of the three officers."""
    return not person.synthetic and person.holdings.filter(role__in=OFFICERS).exists()


def roles_of_human(person: Person) -> set[str]:
    """Every role that the human being holds, by this account or another, and every one that was delegated to them and has not ended."""
    accounts = Person.objects.filter(same_human(person), is_active=True)
    held = set(RoleHolding.objects.filter(person__in=accounts).values_list("role", flat=True))
    delegated = Delegation.objects.filter(taker__in=accounts, ended_at=None, ends_at__gt=clock.now()).values_list("roles", flat=True)
    return held.union(*delegated)


def refuse_unless_apart(person: Person, role: str, held: Collection[str] | None = None) -> None:
    """Raise ROLES_APART where `role` may not be held beside what the human being holds (or `held`)."""
    roles = in_force().all(Role)
    for other in sorted(roles_of_human(person) if held is None else held):
        if other != role and not may_stand_together(role, other, roles):
            raise ROLES_APART(role=_title(role, roles), held=_title(other, roles))


def may_stand_together(one: str, other: str, roles: Mapping[str, Role]) -> bool:
    """An officer holds nothing else; the rest as `apart` says, whichever of the two says it."""
    if one in OFFICERS or other in OFFICERS:
        return False
    return other not in _apart(one, roles) and one not in _apart(other, roles)


def clash(roles: Iterable[str]) -> tuple[str, str] | None:
    """Two of these roles that one human being may not hold together."""
    declared, every = in_force().all(Role), sorted(set(roles))
    return next(((a, b) for n, a in enumerate(every) for b in every[n + 1 :] if not may_stand_together(a, b, declared)), None)


def _apart(role: str, roles: Mapping[str, Role]) -> list[str]:
    return list(roles[role].apart) if role in roles else []


def _title(role: str, roles: Mapping[str, Role]) -> str:
    return roles[role].title if role in roles else role
