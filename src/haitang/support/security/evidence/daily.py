"""Once a day is over: its root is signed and kept, time-stamped where a service is set, and handed to the node above."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import httpx
import structlog
from django.db import connection, transaction

from haitang.base import clock
from haitang.base.declarations import in_force
from haitang.base.declarations.kinds import all_kinds
from haitang.base.errors import HaitangError
from haitang.base.settings import settings
from haitang.support.security.evidence import stamps
from haitang.support.security.evidence.archives import archive_due
from haitang.support.security.evidence.days import day_statement, receipt_statement
from haitang.support.security.evidence.key_chain import signed
from haitang.support.security.evidence.keyring import key_json, keys, sign, signing_key
from haitang.support.security.evidence.models import DayRoot, Seal, UpstreamReceipt
from haitang.support.security.evidence.queries import daily_root
from haitang.support.security.evidence.sealing import LOCK
from haitang.support.security.outgoing import guard as outgoing

log = structlog.get_logger()
AT_ONCE, SECONDS = 20, 20.0
GRACE = timedelta(minutes=1)  # clocks of two sealers may differ a little


def node() -> str:
    """The division code of this node. The kind `place` belongs to a higher room, so it is asked for by name; without a release it is empty."""
    kind = all_kinds().get("place")
    try:
        places = list(in_force().all(kind.model).values()) if kind else []
    except HaitangError:
        return ""
    return str(getattr(places[0], "code", "")) if places else ""


def publish_days() -> int:
    """Sign and keep the root of every day that is over and has none yet; gives how many."""
    first, made = Seal.objects.order_by("number").first(), 0
    if first is None:
        return 0
    last = DayRoot.objects.order_by("-date").first()
    day = last.date + timedelta(days=1) if last else first.sealed_at.astimezone(clock.CHINA).date()
    while _is_over(day):
        made += _publish(day)
        day += timedelta(days=1)
    return made


def _is_over(day: date) -> bool:
    return clock.now() >= datetime.combine(day + timedelta(days=1), time.min, clock.CHINA) + GRACE


def _publish(day: date) -> int:
    """Under the sealers' lock, so that no seal of that day is still to come."""
    key, private = signing_key()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        if DayRoot.objects.filter(date=day).exists():
            return 0
        told = {**daily_root(day), "node": node(), "key": key.id}
        DayRoot.objects.create(
            **{**told, "date": day, "key": key}, signature=sign(key, private, day_statement(told)), published_at=clock.now()
        )
        return 1


def day_json(found: DayRoot) -> dict[str, Any]:
    """A day as it is published: the signed members, the signature, and the time stamp over `head` where there is one."""
    token = Seal.objects.filter(number=found.last_seal).values_list("timestamp_token", flat=True).first() if found.last_seal else None
    return {
        "node": found.node, "date": found.date.isoformat(), "seals": found.seals, "first_seal": found.first_seal, "last_seal": found.last_seal,
        "records": found.records, "root": found.root, "head": found.head, "suite": found.suite, "key": found.key_id,
        "signature": found.signature, "timestamp": bytes(token).hex() if token else None,
    }  # fmt: skip


def stamp_due() -> int:
    """Ask the service for the stamps that are wanting, newest first, a few at a time; gives how many came. What fails is tried again next time."""
    if not settings().tsa_url:
        return 0
    wanted = set(DayRoot.objects.filter(last_seal__isnull=False).values_list("last_seal", flat=True))
    due = Seal.objects.filter(timestamp_token=None)
    found = due.filter(number__in=wanted)
    if settings().tsa_every > 0:
        found |= due.extra(where=["number %% %s = 0"], params=[settings().tsa_every])
    return sum(_stamp(seal) for seal in found.order_by("-number")[:AT_ONCE])


def _stamp(seal: Seal) -> bool:
    chain = bytes.fromhex(seal.chain)
    request = stamps.request_for(chain)
    authorities = Path(settings().tsa_ca).read_bytes() if settings().tsa_ca else None
    try:
        answer = outgoing.post(
            settings().tsa_url, content=request.as_bytes(), headers={"Content-Type": "application/timestamp-query"}, timeout=SECONDS
        ).raise_for_status()
        stamps.check(answer.content, chain, authorities, request)
    except (httpx.HTTPError, stamps.StampFault) as fault:
        log.warning("no time stamp", seal=seal.number, reason=str(fault))
        return False
    return bool(Seal.objects.filter(number=seal.number, timestamp_token=None).update(timestamp_token=answer.content))


def deliver_days() -> int:
    """Hand the days that the node above has not receipted to it, oldest first; gives how many it took. It stops at the first that it does not take."""
    taken = 0
    if not settings().upstream_url:
        return taken
    for day in DayRoot.objects.filter(upstream=None).order_by("date")[: AT_ONCE * 5]:
        try:
            answer = outgoing.post(
                f"{settings().upstream_url.rstrip('/')}/api/evidence/downstream", timeout=SECONDS,
                json={"day": day_json(day), "keys": [key_json(key) for key in keys()]},
            )  # fmt: skip
            told = answer.json()
        except (httpx.HTTPError, ValueError) as fault:
            log.warning("the node above does not answer", reason=str(fault))
            return taken
        if answer.status_code != 200 or not _receipted(day, told):
            log.error("the node above refused a root", date=day.date.isoformat(), status=answer.status_code, said=str(told)[:300])
            return taken
        UpstreamReceipt.objects.create(day=day, receipt=told, received_at=clock.now())
        taken += 1
    return taken


def _receipted(day: DayRoot, told: Any) -> bool:
    """Whether the answer is a receipt for this very root, signed by the key that it names."""
    try:
        same = (told["node"], told["date"], told["root"], told["head"]) == (day.node, day.date.isoformat(), day.root, day.head)
        return bool(same and signed(told["signed_by"], receipt_statement(told), told["signature"]))
    except (KeyError, TypeError, ValueError):
        return False


def tend() -> None:
    """What is due once in a while; each part on its own, so that a service that is away holds up nothing else."""
    for part in (publish_days, stamp_due, deliver_days, archive_due):
        try:
            if done := part():
                log.info("evidence tended", what=part.__name__, count=done)
        except Exception:
            log.exception("evidence not tended", what=part.__name__)
