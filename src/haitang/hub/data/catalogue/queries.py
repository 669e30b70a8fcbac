"""Reads of the catalogue."""

from haitang.base.actions import permission
from haitang.base.declarations import in_force
from haitang.base.declarations.application import Application
from haitang.hub.data.catalogue.kinds import Resource
from haitang.support.security.people.models import Organization
from haitang.support.security.people.queries import filling, fillings

READ = permission("resource.read", "查看数据资源目录")
SAMPLE = permission("resource.sample", "查看数据资源的样例数据")


def provider_role(resource: Resource) -> str | None:
    """The organization role that provides a resource: its own word, else its application's."""
    if resource.provider:
        return resource.provider
    application = in_force().all(Application).get(resource.owner)
    return application.provider if application else None


def provider(resource: Resource) -> Organization | None:
    """The organization that provides a resource in this place."""
    role = provider_role(resource)
    return filling(role) if role else None


def providers() -> dict[str, Organization | None]:
    """Resource -> the organization that provides it, of all resources at once."""
    filled = fillings()
    return {id: filled.get(provider_role(resource) or "") for id, resource in in_force().all(Resource).items()}
