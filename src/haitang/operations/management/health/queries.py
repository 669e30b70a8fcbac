"""How devices are: counted by type and by organization, by queries over sets whose number does not grow with the devices."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, F, FloatField, Func, QuerySet

from haitang.base import clock
from haitang.base.actions import Actor
from haitang.base.declarations import in_force
from haitang.operations.management.health.expected import HOURS, Window, hourly, received
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
    """Of some devices. `heard`: when the last of them was, in Unix seconds (0: never). `received` of `expected` values came in the last 24 hours; None where the lake cannot be read, or nothing is expected.

    `flags`: quality -> how many newest readings have it; `flagged`: how many devices have one. `expiring`: credentials that end within 30 days.
    """

    id: str = ""
    title: str = ""
    states: Counter[str] = field(default_factory=Counter)
    heard: float = 0.0
    expected: float = 0.0
    received: float | None = 0.0
    flags: Counter[str] = field(default_factory=Counter)
    flagged: int = 0
    expiring: int = 0

    def add(self, other: "Health") -> None:
        """Count other devices in."""
        self.states.update(other.states)
        self.flags.update(other.flags)
        self.heard = max(self.heard, other.heard)
        self.expected += other.expected
        self.received = None if self.received is None or other.received is None else self.received + other.received
        self.flagged += other.flagged
        self.expiring += other.expiring

    @property
    def last_heard(self) -> datetime | None:
        return datetime.fromtimestamp(self.heard, clock.CHINA) if self.heard else None

    @property
    def total(self) -> int:
        return self.states.total()

    @property
    def share(self) -> float | None:
        """Percent."""
        return None if self.received is None or not self.expected else 100.0 * self.received / self.expected

    @property
    def marks(self) -> list[tuple[str, int]]:
        """(quality, how many), for templates: to them `items` of a Counter is the count of the key "items"."""
        return self.flags.most_common()

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


def _epoch(field: str) -> Func:
    """A time as Unix seconds: ten thousand floats are read several times as fast as ten thousand times. (Django's Extract would take the local time for UTC.)"""
    return Func(F(field), template="extract(epoch from %(expressions)s)::float8", output_field=FloatField())


def overview(actor: Actor) -> Overview:
    """How the devices are that an actor may read; retired ones are left out."""
    now = clock.now()
    window, mine = Window.before(now), readable(actor).exclude(status=Thing.RETIRED)
    cells, of = _counted(with_state(mine, now), window)
    _mark(mine, of)
    ending = DeviceCredential.objects.filter(ended_at=None, valid_until__gt=now, valid_until__lte=now + EXPIRING)
    for thing, many in ending.filter(thing__in=mine).order_by().values_list("thing").annotate(many=Count("pk")):
        if thing in of:
            of[thing].expiring += many
    whole, kinds, organizations = Health(), dict[str, Health](), dict[str, Health]()
    for (device, organization), cell in cells.items():
        for each in (whole, kinds.setdefault(device, Health(device)), organizations.setdefault(organization, Health(organization))):
            each.add(cell)
    return Overview(
        now, window, whole, _titled(kinds, _kinds()), _titled(organizations, dict(Organization.objects.values_list("pk", "title")))
    )


def _counted(things: QuerySet[Any], window: Window) -> tuple[dict[tuple[str, str], Health], dict[str, Health]]:
    """(type, organization) -> states, when last heard, what came of what was to be expected; and thing -> its cell of these. A device in maintenance owes nothing."""
    rates = {id: sum(hourly(device).values()) for id, device in in_force().all(Device).items()}
    replayed = {id: sum(hourly(device, instants=False).values()) for id, device in in_force().all(Device).items()}
    came = received(Thing.objects.exclude(status=Thing.RETIRED).values_list("id", "device"), window)
    cells, of = dict[tuple[str, str], Health](), dict[str, Health]()
    rows = things.order_by().values_list("id", "device", "organization_id", "state", "origin", _epoch("first_seen"), _epoch("last_seen"))
    for id, device, organization, state, origin, first, last in rows:
        cell = cells.get((device, organization))
        if cell is None:
            cell = cells[device, organization] = Health(received=None if came is None else 0.0)
        of[id] = cell
        cell.states[state] += 1
        if last is not None and last > cell.heard:
            cell.heard = last
        if state != "maintained" and (rate := (replayed if origin == "replay" else rates).get(device)):
            got = 0.0 if came is None else min(rate * HOURS, came.get(id, 0.0))
            cell.expected += max(rate * window.hours_since(first), got)  # what it sent of the time before it was first heard counts as owed
            if cell.received is not None:
                cell.received += got
    return cells, of


def _mark(mine: QuerySet[Thing], of: dict[str, Health]) -> None:
    """Newest readings that carry a quality flag."""
    marked = flagged().filter(thing__in=mine.values("id")).order_by().values_list("thing", "quality").annotate(many=Count("pk"))
    seen: set[str] = set()
    for thing, quality, many in marked:
        if cell := of.get(thing):
            cell.flags[quality] += many
            cell.flagged += thing not in seen
            seen.add(thing)


def _kinds() -> dict[str, str]:
    return {id: device.title for id, device in in_force().all(Device).items()}


def _titled(found: dict[str, Health], titles: dict[str, str]) -> list[Health]:
    """The largest first; what belongs to none last."""
    for each in found.values():
        each.title = titles.get(each.id, each.id)
    return sorted(found.values(), key=lambda each: (not each.id, -each.total, each.id))
