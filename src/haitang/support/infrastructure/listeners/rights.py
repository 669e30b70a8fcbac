"""What policies give a device: whether it may report what it observes, and be given commands. Cedar decides, as for people.

A decision looks at the thing alone (its id, type, organization, division, status), so it is made when a listener reads its view, off the event loop, and kept until
the thing or the release changes. A message then costs the reading of an attribute.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from haitang.base import ports
from haitang.base.actions import NOT_ALLOWED, Actor, Refusal, Refused, permission, permissions
from haitang.base.ports import Decision
from haitang.support.security.policy.engine import Engine, engine
from haitang.support.security.policy.entities import PLATFORM, Subject, subject_of

log = structlog.get_logger()
OBSERVE = permission("device.observe", "设备上报数据")
RECEIVE = permission("device.receive", "设备接收指令")
AGAIN = 60.0  # seconds in which the same refusal is noted once
NOBODY = Actor("device", "", "")
_UNDECIDED = Decision(False, "授权规则尚未判断", "undecided")


@dataclass(frozen=True)
class Rights:
    """Of one device. Without a decision it has none."""

    observe: bool = False
    receive: bool = False
    actor: Actor = NOBODY
    subject: Subject = PLATFORM
    decisions: Mapping[str, Decision] = field(default_factory=dict, hash=False)

    def why_not(self, word: str) -> Decision:
        return self.decisions.get(word, _UNDECIDED)


NONE = Rights()
_kept: dict[Subject, Rights] = {}
_engine: Engine | None = None  # whose decisions are kept


def actor_of(thing: Any) -> Actor:
    """A thing as who acts."""
    return Actor("device", thing.pk, thing.title, thing.organization_id or None)


def decided(things: Iterable[Any]) -> dict[str, Rights]:
    """Thing -> its rights under the release in force. Only things that changed are decided anew."""
    global _engine, _kept
    if _engine is not engine():
        _engine, _kept = engine(), {}
    found: dict[Subject, Rights] = {}
    for thing in things:
        subject = subject_of(thing)
        if subject not in found:
            found[subject] = _kept.get(subject) or _decide(actor_of(thing), subject)
    _kept = found  # what is gone is forgotten
    return {rights.actor.id: rights for rights in found.values()}


def _decide(actor: Actor, subject: Subject) -> Rights:
    said = {word: ports.policy().decide(actor=actor, permission=word, resource=subject) for word in (OBSERVE, RECEIVE)}
    return Rights(said[OBSERVE].allowed, said[RECEIVE].allowed, actor, subject, said)


def refused(rights: Rights, word: str) -> Refused:
    """NOT_ALLOWED, as it is told and kept."""
    decision = rights.why_not(word)
    told = {"actor": rights.actor.name, "permission": permissions[word], "reason": decision.reason}
    return Refused(NOT_ALLOWED, told, Refusal(rights.actor, word, rights.subject, decision))


class Refusals:
    """What devices were refused, until it is written down where refusals are explained (`/why/…`)."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, str], float] = {}
        self._waiting: list[tuple[Refused, str]] = []

    def note(self, rights: Rights, word: str, way: str) -> None:
        """`way`: how it tried, such as `MQTT PUBLISH`. The same again within AGAIN seconds is not noted: a refused device may try a thousand times a second."""
        key, now = (rights.actor.id, word), time.monotonic()
        if rights is NONE or now - self._noted.get(key, -AGAIN) < AGAIN:
            return
        if len(self._noted) > 10_000:
            self._noted.clear()
        self._noted[key] = now
        self._waiting.append((refused(rights, word), way))

    def take(self) -> list[tuple[Refused, str]]:
        found, self._waiting = self._waiting, []
        return found


def keep(noted: Iterable[tuple[Refused, str]]) -> None:
    """Write refusals down; what explains never stands in the way of what is heard."""
    for each, way in noted:
        try:
            ports.refusals().keep(each, way=way)
        except Exception:
            log.exception("listener.refusal_not_kept", thing=each.refusal.actor.id)
