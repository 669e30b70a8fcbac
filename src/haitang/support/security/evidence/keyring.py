"""The signing keys of this instance: the one in use, rotation with overlap, and the mark of one that is no longer safe."""

from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Coalesce

from haitang.base import clock
from haitang.base.actions import Act, acting, action, system
from haitang.base.errors import error
from haitang.support.security.cryptography.keys import NO_KEY_FILE, folder, keep, kept, private_key
from haitang.support.security.cryptography.suites import SUITES, Suite, in_use
from haitang.support.security.evidence.key_chain import compromise_statement, statement
from haitang.support.security.evidence.models import KeyCompromise, SigningKey

NO_SUCH_KEY = error("evidence.no_such_key", 404, "账本中没有编号为 {key} 的签名密钥。")
STARTS_EARLY = error("evidence.starts_early", 422, "新密钥的启用时间 {starts_at} 早于现在，请改为现在或以后。")
IN_FUTURE = error("evidence.compromise_in_future", 422, "泄露时间 {since} 在将来，请填写实际发生或最早可能发生的时间。")
LOCK = 0x4861694B6579  # "HaiKey": one change of the keys at a time


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def key_json(key: SigningKey) -> dict[str, Any]:
    """A key as it stands in exports and answers."""
    return {
        "id": key.id, "suite": key.suite, "public": key.public, "created_at": _iso(key.created_at),
        "starts_at": _iso(key.starts_at or key.created_at), "previous": key.previous_id, "endorsement": key.endorsement, "possession": key.possession,
    }  # fmt: skip


def compromise_json(found: KeyCompromise) -> dict[str, Any]:
    return {
        "key": found.key_id, "since": _iso(found.since), "declared_at": _iso(found.declared_at), "reason": found.reason, "by": found.by_id,
        "signature": found.signature,
    }  # fmt: skip


def keys() -> list[SigningKey]:
    """Every key, in the order in which they take over."""
    return list(SigningKey.objects.annotate(begins=Coalesce(F("starts_at"), F("created_at"))).order_by("begins", "created_at"))


def suite_of(key: SigningKey) -> Suite:
    return SUITES[key.suite]


def sign(key: SigningKey, private: bytes, message: bytes) -> str:
    """The signature (hex) of the message's digest, by the key's suite."""
    suite = suite_of(key)
    return suite.sign(private, suite.hash(message)).hex()


def private_of(key: SigningKey) -> bytes:
    """The private half. The first key of an instance lies under its suite's name, later ones under their own."""
    own = f"evidence-{key.id}.pem"
    if (folder() / own).exists():
        return kept(own)
    first = kept(f"evidence-{key.suite}.pem")
    if suite_of(key).public(first).hex() != key.public:
        raise NO_KEY_FILE(file=folder() / own)
    return first


def signing_key() -> tuple[SigningKey, bytes]:
    """The key in use now and its private half; the very first is made and entered into the ledger."""
    found = _now_in_use()
    if found is None:
        with acting(system("sealer")) as act:
            _one_at_a_time()
            found = _now_in_use() or add_key(act=act, suite_name=in_use().name, private=private_key("evidence", in_use()), starts_at=act.at)
    return found, private_of(found)


def _now_in_use() -> SigningKey | None:
    """The last that has begun of those not marked; where none has (a clock set back), the first."""
    now, sound = clock.now(), [key for key in keys() if not key.compromises.exists()]
    begun = [key for key in sound if (key.starts_at or key.created_at) <= now]
    return begun[-1] if begun else next(iter(sound), None)


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])


@action("evidence.add_key", title="启用签名密钥")
def add_key(*, act: Act, suite_name: str, private: bytes, starts_at: datetime, previous: SigningKey | None = None) -> SigningKey:
    """Enter a public key into the ledger, endorsed by the one before it."""
    suite = SUITES[suite_name]
    public = suite.public(private)
    key = SigningKey(
        id=suite.key_id(public), suite=suite_name, public=public.hex(), created_at=act.at, starts_at=starts_at, previous=previous
    )
    told = statement(key_json(key), key_json(previous) if previous else None)
    key.possession = sign(key, private, told)
    key.endorsement = sign(previous, private_of(previous), told) if previous else ""
    act.record("signing_key", key.id, {"suite": suite_name, "public": key.public, "previous": key.previous_id, "starts_at": starts_at})
    key.save(force_insert=True)
    return key


@action("evidence.rotate_key", title="更换签名密钥")
def rotate_key(*, act: Act, starts_at: datetime | None = None, without_old_key: bool = False) -> SigningKey:
    """A new key of the suite that the setting names. It is published at once and signs from `starts_at` (default: now) on; until then the old one does.

    `without_old_key`: the old private key is lost, so the new one is a new root that everybody must be told of. Raises STARTS_EARLY.
    """
    _one_at_a_time()
    begins = starts_at or act.at
    if begins < act.at:
        raise STARTS_EARLY(starts_at=begins.isoformat())
    last = next(reversed(keys()), None)
    private = in_use().generate()
    keep(f"evidence-{in_use().key_id(in_use().public(private))}.pem", private)
    act.record("signing_key", last.id if last else "none", {"rotated": True, "without_old_key": without_old_key})
    previous = None if without_old_key else last
    return add_key(act=act, suite_name=in_use().name, private=private, starts_at=begins, previous=previous)


@action("evidence.mark_compromised", title="标记签名密钥泄露")
def mark_compromised(*, act: Act, key: str, since: datetime, reason: str) -> KeyCompromise:
    """From `since` on the key's signatures prove nothing. The key in use is replaced in the same act. Raises NO_SUCH_KEY, IN_FUTURE.

    `reason` is a word for programs (`lost_disk`, `leaver`): no personal data.
    """
    found = SigningKey.objects.filter(pk=key).first()
    if found is None:
        raise NO_SUCH_KEY(key=key)
    if since > act.at:
        raise IN_FUTURE(since=since.isoformat())
    in_use_now = _now_in_use()
    by = rotate_key(act=act) if in_use_now is None or in_use_now == found else in_use_now
    made = KeyCompromise(key=found, since=since, declared_at=act.at, reason=reason, by=by)
    made.signature = sign(by, private_of(by), compromise_statement(compromise_json(made)))
    act.record("signing_key", found.id, {"compromised_since": since, "reason": reason})
    made.save(force_insert=True)
    return made
