"""How devices are: counted by type and by organization, by queries over sets whose number does not grow with the devices."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count

from haitang.base import clock
from haitang.base.actions import Actor
from haitang.base.declarations import in_force
from haitang.operations.management.health.expected import Window, hourly, received
from haitang.support.infrastructure.credentials.models import DeviceCredential
from haitang.support.infrastructure.things.health import STATES, with_state
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.listing import EXPIRING
from haitang.support.infrastructure.things.models import Thing
from haitang.support.infrastructure.things.queries import readable
from haitang.support.infrastructure.twin.queries import flagged
from haitang.support.security.people.models import Organization


@dataclass
class Health:
    """Of some devices. `received` of `expected` values came in the last 24 hours; None where the lake cannot be read, or nothing is expected.

    `flags`: quality -> how many newest readings have it; `flagged`: how many devices have one. `expiring`: credentials that end within 30 days.
    """

    id: str = ""
    title: str = ""
    states: Counter[str] = field(default_factory=Counter)
    last_heard: datetime | None = None
    expected: float = 0.0
    received: float | None = 0.0
    flags: Counter[str] = field(default_factory=Counter)
    flagged: int = 0
    expiring: int = 0

    @property
    def total(self) -> int:
        return self.states.total()

    @property
    def share(self) -> float | None:
        """Percent."""
        return None if self.received is None or not self.expected else 100.0 * self.received / self.expected

    @property
    def counts(self) -> list[tuple[str, int, str, str]]:
        """(state, how many, colour, word), in a fixed order."""
        return [(state, self.states[state], *STATES[state]) for state in STATES]

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id, "title": self.title, "total": self.total, **{state: self.states[state] for state in STATES}, "last_heard": self.last_heard,
            "expected_24h": round(self.expected), "received_24h": None if self.received is None else round(self.received), "received_percent": self.share,
            "flagged": self.flagged, "flags": dict(self.flags), "credentials_expiring": self.expiring,
        }  # fmt: skip


@dataclass(frozen=True)
class Overview:
    """`whole`, `kinds` by device type, `organizations` by who is responsible; over `window`."""

    at: datetime
    window: Window
    whole: Health
    kinds: list[Health]
    organizations: list[Health]


@dataclass(frozen=True)
class _Row:
    id: str
    device: str
    organization: str
    state: str
    first: datetime | None
    last: datetime | None


_FIELDS = ("id", "device", "organization_id", "state", "first_seen", "last_seen")


def overview(actor: Actor) -> Overview:
    """How the devices are that an actor may read; retired ones are left out."""
    now = clock.now()
    window, whole, kinds, organizations = Window.before(now), Health(), dict[str, Health](), dict[str, Health]()
    mine = readable(actor).exclude(status=Thing.RETIRED)
    rows = [_Row(*told) for told in with_state(mine, now).values_list(*_FIELDS)]
    of = {
        row.id: (
            whole,
            kinds.setdefault(row.device, Health(row.device)),
            organizations.setdefault(row.organization, Health(row.organization)),
        )
        for row in rows
    }
    _count(rows, of, window)
    marked = flagged().filter(thing__in=mine.values("id")).values_list("thing", "quality").annotate(many=Count("pk"))
    seen: set[str] = set()
    for thing, quality, many in marked:
        for each in of.get(thing, ()):
            each.flags[quality] += many
            each.flagged += thing not in seen
        seen.add(thing)
    ending = DeviceCredential.objects.filter(ended_at=None, valid_until__gt=now, valid_until__lte=now + EXPIRING)
    for thing, many in ending.filter(thing__in=mine).order_by().values_list("thing").annotate(many=Count("pk")):
        for each in of.get(thing, ()):
            each.expiring += many
    return Overview(
        now, window, whole, _titled(kinds, _kinds()), _titled(organizations, dict(Organization.objects.values_list("pk", "title")))
    )


def _count(rows: list[_Row], of: dict[str, tuple[Health, Health, Health]], window: Window) -> None:
    """States, when last heard, and what came of what was to be expected; a device in maintenance is expected to tell nothing."""
    rates = {id: sum(hourly(device).values()) for id, device in in_force().all(Device).items()}
    came = received(Thing.objects.exclude(status=Thing.RETIRED).values_list("id", "device"), window)
    for row in rows:
        expected = 0.0 if row.state == "maintained" else rates.get(row.device, 0.0) * window.hours_since(row.first)
        got = None if came is None else min(expected, came.get(row.id, 0.0))
        for each in of[row.id]:
            each.states[row.state] += 1
            each.last_heard = max(filter(None, (each.last_heard, row.last)), default=None)
            each.expected += expected
            each.received = None if got is None or each.received is None else each.received + got


def _kinds() -> dict[str, str]:
    return {id: device.title for id, device in in_force().all(Device).items()}


def _titled(found: dict[str, Health], titles: dict[str, str]) -> list[Health]:
    """The largest first; what belongs to none last."""
    for each in found.values():
        each.title = titles.get(each.id, each.id)
    return sorted(found.values(), key=lambda each: (not each.id, -each.total, each.id))
