"""Writes about tokens and outside systems."""

from collections.abc import Collection
from datetime import datetime, timedelta

from haitang.base.actions import Act, Actor, action
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.support.security.evidence.facts import Secret
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Organization, Person
from haitang.support.security.people.officers import is_officer, one_human
from haitang.support.security.policy.checks import KEPT_BACK
from haitang.support.security.tokens import known, queries, secret
from haitang.support.security.tokens.models import Client, Token

LONGEST = timedelta(days=366)
MOST = 20
BEYOND = error("tokens.beyond_holder", 400, "持有人自己没有这些权限，不能写进令牌：{scopes}。")
NO_SCOPES = error("tokens.no_scopes", 400, "请至少选择一项权限。")
BAD_EXPIRY = error("tokens.bad_expiry", 400, "有效期必须写明，且不超过 {days} 天。")
TOO_MANY = error("tokens.too_many", 409, "同一持有人最多有 {most} 个有效的令牌，请先吊销不用的。")
OVER = error("tokens.over", 409, "这个令牌已经过期或吊销，不能更换。请另建一个。")
ROLE_NOT_FOR_CLIENTS = error("tokens.role_not_for_clients", 400, "角色“{role}”含有管理权限，不能授予外部系统。")
NO_SUCH_ROLE = error("tokens.no_such_role", 404, "没有声明角色“{role}”。")
NOT_COMPLETE = error("tokens.not_complete", 400, "请写明系统名称、用途、所属单位和责任人。")
OWN_CLIENT = error("tokens.own_client", 409, "责任人保管系统的令牌，不能是登记人本人，也不能是三员。请指定所属单位的一名工作人员。")
TITLE_TAKEN = error("tokens.title_taken", 409, "已经登记了名为“{title}”的外部系统。")


@action("tokens.create_own", title="新建本人的访问令牌", resource="person", fresh=True)
def create_own_token(
    *, act: Act, person: Person, title: str, scopes: Collection[str], expires_at: datetime, only: Collection[str] | None = None
) -> tuple[Token, str]:
    """A token of one's own; returns it with its text, which is shown this once. Raises BEYOND, NO_SCOPES, BAD_EXPIRY, TOO_MANY."""
    return _create(act, Token(person=person), title, scopes, expires_at, only)


@action("tokens.create", title="新建外部系统的访问令牌", resource="client", fresh=True)
def create_client_token(
    *, act: Act, client: Client, title: str, scopes: Collection[str], expires_at: datetime, only: Collection[str] | None = None
) -> tuple[Token, str]:
    """A token of an outside system, for who answers for it: whoever gives the system its roles does not hold its key."""
    return _create(act, Token(client=client), title, scopes, expires_at, only)


def _create(
    act: Act, token: Token, title: str, scopes: Collection[str], expires_at: datetime, only: Collection[str] | None
) -> tuple[Token, str]:
    _refuse_unless_fit(known.holder(token), scopes, expires_at - act.at)
    mine = Token.objects.filter(person=token.person, client=token.client, revoked_at=None, expires_at__gt=act.at)
    if mine.count() >= MOST:
        raise TOO_MANY(most=MOST)
    token.title, token.scopes, token.only = (
        title.strip()[:100] or "API",
        sorted(set(scopes)),
        sorted(set(only)) if only is not None else None,
    )
    token.created_at, token.created_by, token.expires_at = act.at, act.actor.ref, expires_at
    return _issued(act, token)


def _refuse_unless_fit(holder: Actor, scopes: Collection[str], lifetime: timedelta) -> None:
    if not scopes:
        raise NO_SCOPES()
    if not timedelta() < lifetime <= LONGEST:
        raise BAD_EXPIRY(days=LONGEST.days)
    beyond = sorted(set(scopes) - queries.scopes_for(holder).keys())
    if beyond:
        raise BEYOND(scopes="、".join(beyond))


def _issued(act: Act, token: Token) -> tuple[Token, str]:
    token.prefix, written = secret.new()
    token.digest = secret.digest_of(written)
    token.save(force_insert=True)
    facts = {"holder": token.holder, "prefix": token.prefix, "scopes": token.scopes, "only": token.only, "expires_at": token.expires_at}
    act.record("token", str(token.id), facts)
    return token, written


@action("tokens.rotate", title="更换访问令牌", resource="token", fresh=True)
def rotate_token(*, act: Act, token: Token, overlap: timedelta = timedelta(0)) -> tuple[Token, str]:
    """A new token with the same scope and length of life; the old one goes on for `overlap` (at most a week). Raises OVER."""
    if not queries.in_use(token):
        raise OVER()
    lifetime = token.expires_at - token.created_at
    made = Token(
        person=token.person, client=token.client, title=token.title, scopes=token.scopes, only=token.only,
        created_at=act.at, created_by=act.actor.ref, expires_at=act.at + lifetime,
    )  # fmt: skip
    ends = min(token.expires_at, act.at + min(max(overlap, timedelta()), timedelta(days=7)))
    Token.objects.filter(pk=token.pk).update(expires_at=ends, revoked_at=act.at if ends <= act.at else None)
    act.record("token", str(token.id), {"prefix": token.prefix, "ends": ends})
    return _issued(act, made)


@action("tokens.revoke", title="吊销访问令牌", resource="token")
def revoke_token(*, act: Act, token: Token) -> None:
    """It opens nothing from now on."""
    Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=act.at)
    act.record("token", str(token.id), {"prefix": token.prefix})


@action("tokens.register_client", title="登记外部系统", fresh=True)
def register_client(
    *, act: Act, title: str, purpose: str, organization: Organization | None, responsible: Person | None, roles: Collection[str]
) -> Client:
    """An outside system with who answers for it. Raises NOT_COMPLETE, OWN_CLIENT, TITLE_TAKEN, ROLE_NOT_FOR_CLIENTS, NO_SUCH_ROLE."""
    if not (title.strip() and purpose.strip() and organization and responsible):
        raise NOT_COMPLETE()
    if is_officer(responsible) or any(one_human(responsible, ref) for ref in act.actor.refs):
        raise OWN_CLIENT()
    if Client.objects.filter(title=title.strip()).exists():
        raise TITLE_TAKEN(title=title.strip())
    declared = in_force().all(Role)
    for role in roles:
        if role not in declared:
            raise NO_SUCH_ROLE(role=role)
        if any(grant.partition(".")[0] in KEPT_BACK and not grant.endswith(".read") for grant in declared[role].may):
            raise ROLE_NOT_FOR_CLIENTS(role=declared[role].title)
    made = Client.objects.create(
        title=title.strip()[:100], purpose=purpose.strip()[:300], organization=organization, responsible=responsible,
        roles=sorted(set(roles)), registered_at=act.at,
    )  # fmt: skip
    facts = {"title": made.title, "organization": organization.pk, "responsible": Secret(str(responsible.pk)), "roles": made.roles}
    act.record("client", str(made.id), facts)
    return made


@action("tokens.set_client_active", title="启用或停用外部系统", fresh=True)
def set_client_active(*, act: Act, client: Client, active: bool) -> None:
    """The tokens of a system that is not active open nothing."""
    client.active = active
    client.save(update_fields=["active"])
    act.record("client", str(client.id), {"active": active})
