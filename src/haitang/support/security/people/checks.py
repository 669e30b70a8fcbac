"""Words and checks of people: organization roles are filled by organizations, roles name registered permissions."""

from collections.abc import Iterable

from haitang.base.declarations import Declarations
from haitang.base.declarations.build import nearest
from haitang.base.declarations.checks import Context, Problem, check
from haitang.base.declarations.references import words
from haitang.support.security.people.kinds import Organization, Role


@words("organization role", title="机构角色")
def filled(declarations: Declarations) -> Iterable[str]:
    """The organization roles that some organization of the place fills."""
    return {role for organization in declarations.all(Organization).values() for role in organization.fills}


@check(Role)
def permissions_exist(role: Role, context: Context) -> Iterable[Problem]:
    """Each word under `may` is the permission of an action, or `case.*` for all of a room's, with or without `@own`."""
    if context.permissions is None:
        return
    for number, word in enumerate(role.may):
        if not _exists(word.removesuffix("@own"), context.permissions):
            yield Problem(
                f"may.{number}", "没有“{word}”这个权限", "{near}", data={"word": word, "near": nearest(word, context.permissions)}
            )


def _exists(grant: str, permissions: Iterable[str]) -> bool:
    return any(grant == word or (grant.endswith(".*") and word.startswith(grant[:-1])) for word in permissions)
