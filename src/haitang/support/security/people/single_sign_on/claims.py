"""What a system learns of a person: a subject that only this system knows, and no more than it may ask for."""

from typing import Any
from urllib.parse import urlsplit

from haitang.support.security.cryptography.small_secrets import keyed_digest
from haitang.support.security.people.models import Person
from haitang.support.security.people.single_sign_on.models import ClientSystem


def subject(client: ClientSystem, person: Person) -> str:
    """Pairwise (OpenID Connect Core 8.1): two systems on different hosts cannot tell that they talk of the same person."""
    return keyed_digest(f"{urlsplit(client.redirect_uris[0]).hostname} {person.pk}", "pairwise subject")[:40]


def claims(client: ClientSystem, person: Person, scope: str) -> dict[str, Any]:
    """The claims of the scopes that were agreed to."""
    found: dict[str, Any] = {"sub": subject(client, person)}
    given = set(scope.split()) & {*client.scopes, "openid"}
    if "profile" in given:
        found |= {"name": person.name, "preferred_username": person.username}
    if "email" in given and person.email:
        found["email"] = person.email
    if "phone" in given and person.mobile:
        found["phone_number"] = person.mobile
    if "organization" in given and person.organization_id:
        found |= {"organization": person.organization_id, "staff_number": person.staff_number or ""}
    return found
