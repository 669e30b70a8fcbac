"""Kinds of people: role, organization."""

from typing import Annotated

from haitang.base.declarations import Declaration, Reference, Text, Word, kind


@kind("role", title="角色", folder="roles")
class Role(Declaration):
    """A role that a person holds in an organization: what its holder may do.

    `may` names permissions (each action registers one): `case.read`, `case.*` for all of a room's, `case.handle@own` for what belongs to
    the holder's organization only. A procedure names roles under `by`. `apart`: roles that nobody holds beside this one.
    """

    title: Text
    may: list[str] = []
    apart: Annotated[list[str], Reference("role")] = []
    persona: Text | None = None  # what the demo says of the persona that plays this role


@kind("organization", title="机构", folder="organizations", shape="table", where="place")
class Organization(Declaration):
    """An organization of the place: a department, town, operating company.

    `fills`: the organization roles (words that applications use, such as `ecology_bureau`) that it fills.
    """

    title: Text
    fills: list[Word] = []
    parent: Annotated[str, Reference("organization")] | None = None
    division: str | None = None
