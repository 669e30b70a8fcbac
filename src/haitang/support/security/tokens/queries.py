"""Reads of tokens: who holds one, who may use it, whose they are."""

import hmac
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet

from haitang.base import clock
from haitang.base.actions import Actor, TokenScope, permission, permissions
from haitang.base.errors import error
from haitang.support.security.people.models import Person
from haitang.support.security.policy.language import room_of
from haitang.support.security.policy.rows import FALSE, rows
from haitang.support.security.tokens.known import token_and_holder
from haitang.support.security.tokens.models import Client, Token
from haitang.support.security.tokens.secret import digest_of, prefix_of

READ = permission("tokens.read", "查看访问令牌和外部系统")
NOT_VALID = error("tokens.not_valid", 401, "访问令牌无效、已过期或已吊销。请持有人换一个新的。")
NO_TOKEN = error("tokens.no_token", 404, "没有这个访问令牌。")
NO_CLIENT = error("tokens.no_client", 404, "没有登记这个外部系统。")
NOTICE_USE_EVERY = timedelta(minutes=1)


def authenticated(written: str) -> tuple[Token, Actor]:
    """The token and the actor that it makes; raises NOT_VALID for one that is unknown, over, revoked, or whose holder is gone."""
    prefix = prefix_of(written)
    known = token_and_holder(prefix) if prefix else None
    if known is None or not hmac.compare_digest(known[0].digest, digest_of(written)) or not in_use(known[0]):
        raise NOT_VALID()
    found, who = known
    if found.used_at is None or clock.now() - found.used_at > NOTICE_USE_EVERY:
        Token.objects.filter(pk=found.pk).update(used_at=clock.now())
    only = frozenset(found.only) if found.only is not None else None
    return found, Actor(who.kind, who.id, who.name, who.organization, who.roles, TokenScope(found.prefix, frozenset(found.scopes), only))


def in_use(token: Token) -> bool:
    """Whether it still opens anything."""
    alive = token.person.is_active and not token.person.must_change_password if token.person else bool(token.client and token.client.active)
    return alive and token.revoked_at is None and token.expires_at > clock.now()


def scopes_for(who: Actor) -> dict[str, str]:
    """The permissions that `who` has at least somewhere: what a token of theirs may have, and whole rooms of them."""
    found = {word: title for word, title in sorted(permissions.items()) if room_of(word) != "tokens.*" and rows(who, word) != FALSE}
    return {**found, **{room_of(word): room_of(word) for word in found}}


def tokens_of(person: Person) -> QuerySet[Token]:
    """A person's own, those in use first."""
    return Token.objects.filter(person=person).order_by("revoked_at", "-created_at")


def clients_of(person: Person) -> QuerySet[Client]:
    """Outside systems that a person answers for."""
    return Client.objects.filter(responsible=person, active=True).select_related("organization").order_by("title")


def tokens_of_clients(clients: Iterable[Client]) -> QuerySet[Token]:
    """Tokens of these systems."""
    return Token.objects.filter(client__in=clients).select_related("client").order_by("revoked_at", "-created_at")


def all_tokens() -> QuerySet[Token]:
    return Token.objects.select_related("person", "client").order_by("-created_at")


def one_token(id: UUID) -> Token:
    """Raises NO_TOKEN."""
    found = Token.objects.select_related("person", "client__responsible").filter(pk=id).first()
    if found is None:
        raise NO_TOKEN()
    return found


def one_client(id: UUID) -> Client:
    """Raises NO_CLIENT."""
    found = Client.objects.select_related("organization", "responsible").filter(pk=id).first()
    if found is None:
        raise NO_CLIENT()
    return found
