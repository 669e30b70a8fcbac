"""Writes about device credentials: issue, rotate, revoke."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from haitang.base.actions import Act, action
from haitang.base.errors import error
from haitang.support.infrastructure.credentials import secrets
from haitang.support.infrastructure.credentials.models import DeviceCredential
from haitang.support.infrastructure.things.actions import announce
from haitang.support.infrastructure.things.models import Thing

ENDED = error("credentials.ended", 409, "凭据 {identifier} 已经失效，请签发新的凭据。")
IN_THE_PAST = error("credentials.in_the_past", 400, "有效期须晚于现在。")
RETIRED = error("credentials.retired", 409, "设备“{title}”已停用，不能签发凭据。")
NEEDS_REASON = error("credentials.needs_reason", 400, "请写明吊销理由。")


@dataclass(frozen=True)
class Issued:
    """A new credential with its secret, which exists nowhere else and is shown once."""

    credential: DeviceCredential
    secret: str


@action("things.issue_credential", title="签发设备凭据")
def issue(*, act: Act, thing: Thing, label: str = "", valid_until: datetime | None = None, origin: str = "live") -> Issued:
    """Give a thing one more credential. What is sent with one of origin `replay` is marked replay, always."""
    return _issue(act, thing, label=label, valid_until=valid_until, origin=origin, replaces=None)


@action("things.rotate_credential", title="轮换设备凭据")
def rotate(*, act: Act, credential: DeviceCredential, until: datetime | None = None) -> Issued:
    """A new credential in place of one: the old one holds until the new is first used, or until `until` where that comes first."""
    if not credential.holds(act.at):
        raise ENDED(identifier=credential.identifier)
    _in_future(act, until)
    if until and (credential.valid_until is None or until < credential.valid_until):
        credential.valid_until = until
        credential.save(update_fields=["valid_until"])
    return _issue(act, credential.thing, label=credential.label, valid_until=None, origin=credential.origin, replaces=credential)


@action("things.revoke_credential", title="吊销设备凭据")
def revoke(*, act: Act, credential: DeviceCredential, reason: str) -> DeviceCredential:
    """End a credential now; listeners end the connections that were opened with it within seconds."""
    if not reason:
        raise NEEDS_REASON()
    if credential.ended_at:
        raise ENDED(identifier=credential.identifier)
    return _end(act, credential, reason)


@action("things.finish_rotation", title="完成设备凭据轮换")
def finish_rotation(*, act: Act, credential: DeviceCredential) -> None:
    """The new credential has been used: the one that it replaces ends."""
    old = credential.replaces
    if old is None or old.ended_at:
        act.record("credential", credential.identifier, {"replaced": "already"})
        return
    _end(act, old, "rotated")


# One statement for all, as with things.actions.seen.
_USED = """
    update credentials_devicecredential as credential set first_used = coalesce(credential.first_used, used.at), last_used = used.at, last_address = used.address
    from unnest(%s::text[], %s::timestamptz[], %s::text[]) as used(identifier, at, address) where credential.identifier = used.identifier
    returning credential.identifier, credential.replaces_id"""


def note_uses(uses: Mapping[str, tuple[datetime, str]]) -> list[DeviceCredential]:
    """Note when and from where credentials were last used; gives those whose first use ends another. Telemetry, not a decision."""
    ats, addresses = zip(*uses.values(), strict=True) if uses else ((), ())
    with connection.cursor() as cursor:
        cursor.execute(_USED, [list(uses), list(ats), list(addresses)])
        replacing = [identifier for identifier, replaced in cursor.fetchall() if replaced]
    return list(DeviceCredential.objects.select_related("replaces").filter(pk__in=replacing, replaces__ended_at=None)) if replacing else []


def _issue(act: Act, thing: Thing, *, label: str, valid_until: datetime | None, origin: str, replaces: DeviceCredential | None) -> Issued:
    if thing.status == Thing.RETIRED:
        raise RETIRED(title=thing.title)
    _in_future(act, valid_until)
    salt, secret = secrets.new_salt(), secrets.new_secret()
    made = DeviceCredential.objects.create(
        identifier=secrets.new_identifier(), thing=thing, label=label, origin=origin, salt=salt, digest=secrets.digest(salt, secret),
        issued_at=act.at, issued_by=act.actor.ref, valid_until=valid_until, replaces=replaces,
    )  # fmt: skip
    act.record("thing", thing.id, {
        "credential": made.identifier, "origin": origin, "valid_until": valid_until, "replaces": replaces.identifier if replaces else None,
    })  # fmt: skip
    announce(act, thing)
    return Issued(made, secret)


def _end(act: Act, credential: DeviceCredential, reason: str) -> DeviceCredential:
    credential.ended_at, credential.end_reason = act.at, reason
    credential.save(update_fields=["ended_at", "end_reason"])
    act.record("thing", credential.thing_id, {"credential": credential.identifier, "ended": reason})
    announce(act, credential.thing)
    return credential


def _in_future(act: Act, at: datetime | None) -> None:
    if at and at <= act.at:
        raise IN_THE_PAST()
