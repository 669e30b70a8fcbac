"""Reads of the catalogue."""

from haitang.base.actions import Actor, may, permission
from haitang.base.declarations import in_force
from haitang.base.declarations.application import Application
from haitang.base.declarations.models import Provisional
from haitang.hub.data.catalogue.kinds import Resource
from haitang.support.security.people.models import Organization
from haitang.support.security.people.queries import filling, fillings

READ = permission("resource.read", "查看数据资源目录")
PROVISIONAL = permission("resource.provisional", "查看暂定的数据资源")
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
    return filling(role) if role else _proposer(resource)


def providers() -> dict[str, Organization | None]:
    """Resource -> the organization that provides it, of all resources at once."""
    filled = fillings()
    roles = {id: (resource, provider_role(resource)) for id, resource in in_force().all(Resource).items()}
    return {id: filled.get(role) if role else _proposer(resource) for id, (resource, role) in roles.items()}


def _proposer(resource: Resource) -> Organization | None:
    """Whose file a resource was proposed from."""
    found = Provisional.objects.filter(declaration=resource.id).exclude(status=Provisional.Status.DISCARDED).first()
    return Organization.objects.filter(pk=found.organization).first() if found else None


def seen_by(actor: Actor, resource: Resource) -> bool:
    """Whether an actor may know of a resource: one that is provisional is published to nobody but who proposed it and data stewards."""
    return not resource.provisional or may(actor, PROVISIONAL, Whose(provider(resource)))


class Whose:
    """An organization's, for the policy."""

    def __init__(self, organization: Organization | None) -> None:
        self.organization = organization.pk if organization else ""
