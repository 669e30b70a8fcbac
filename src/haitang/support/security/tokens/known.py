"""Tokens and their holders, read once for as long as the rows that say so are the same.

Each request asks the database in one statement for the versions of these rows (PostgreSQL's `xmin` and `ctid`, which no two versions of a row share) and for the roles that
are held. A token revoked, a person locked or a role taken away is another version, so it counts from the next request on.
"""

import copy
from functools import lru_cache

from haitang.base.actions import Actor
from haitang.base.sql import rows
from haitang.support.security.people.queries import actor_of
from haitang.support.security.tokens.models import Client, Token

KEPT = 1024
_VERSION = """
    select concat_ws(' ', t.xmin, t.ctid, p.xmin, p.ctid, c.xmin, c.ctid, (select string_agg(role, ',' order by role) from people_roleholding where person_id = p.id))
    from tokens_token t left join people_person p on p.id = t.person_id left join tokens_client c on c.id = t.client_id where t.prefix = %s"""


def actor_of_client(client: Client) -> Actor:
    """The outside system as an actor: sort `system`, in its organization, with the roles that it was registered with."""
    return Actor("system", str(client.id), client.title, client.organization_id, frozenset(client.roles))


def holder(token: Token) -> Actor:
    """Whose the token is, with everything that they may do themselves."""
    if token.client:
        return actor_of_client(token.client)
    assert token.person
    return actor_of(token.person)


def token_and_holder(prefix: str) -> tuple[Token, Actor] | None:
    """The token of a prefix, the caller's own copy, and its holder; None where there is none."""
    versions = rows(_VERSION, [prefix])
    found = _read(prefix, versions[0][0]) if versions else None
    if found is None:
        return None
    token, who = copy.copy(found[0]), found[1]
    if token.person:
        token.person = copy.copy(token.person)
    return token, who


@lru_cache(KEPT)
def _read(prefix: str, version: str) -> tuple[Token, Actor] | None:
    found = Token.objects.select_related("person", "client").filter(prefix=prefix).first()
    return (found, holder(found)) if found else None
