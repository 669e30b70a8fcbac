"""The made-up people of the demonstration: one for each role that a visitor may take. They have no password; only a demonstration lets one become them."""

from haitang.base.actions import Actor, acting, system
from haitang.base.declarations import in_force
from haitang.support.security.people.actions import create_person, give_role
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Person
from haitang.support.security.people.queries import actor_of, filling

DEMO = system("demo")
# Role -> name, and the organization role that theirs fills.
CAST = {
    "dispatcher": ("周远（示例）", "command_centre"),
    "handler": ("何川（示例）", "ecology_bureau"),
    "verifier": ("郑岚（示例）", "command_centre"),
    "department_head": ("许衡（示例）", "ecology_bureau"),
    "duty_officer": ("程夏（示例）", "command_centre"),
    "auditor": ("沈简（示例）", "audit_bureau"),
    "administrator": ("陆维（示例）", "big_data_bureau"),
    "security_administrator": ("安平（示例）", "big_data_bureau"),
    "audit_administrator": ("石严（示例）", "audit_bureau"),
}


def username(role: str) -> str:
    return f"demo-{role}"


def make_people() -> int:
    """Create those who are not there yet; returns how many."""
    known = set(Person.objects.filter(synthetic=True).values_list("username", flat=True))
    wanted = [role for role in CAST if role in in_force().all(Role) and username(role) not in known]
    with acting(DEMO) as act:
        for role in wanted:
            name, fills = CAST[role]
            organization = filling(fills)
            person = create_person(
                act=act, username=username(role), name=name, organization=organization.pk if organization else None, synthetic=True
            )
            give_role(act=act, person=person, role=role)
    return len(wanted)


def cast() -> dict[str, Actor]:
    """The actor of each role."""
    found = {person.username: person for person in Person.objects.filter(synthetic=True, is_active=True)}
    return {role: actor_of(found[username(role)]) for role in CAST if username(role) in found}
