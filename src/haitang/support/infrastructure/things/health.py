"""Whether a thing is heard: in maintenance, never heard, silent for longer than its type allows, online; as one expression, so that ten thousand cost one query."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When

from haitang.base import clock
from haitang.base.declarations import in_force
from haitang.base.durations import parse_span
from haitang.base.text import T
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import MaintenanceWindow, Thing

# state -> (colour of the shell's status mark, word)
STATES = {
    "online": ("normal", T("在线")),
    "silent": ("warning", T("失联")),
    "maintained": ("notice", T("维护中")),
    "never": ("nodata", T("从未收到")),
}


def with_state(things: QuerySet[Thing], now: datetime | None = None) -> QuerySet[Any]:
    """Things with `state`, a key of STATES; a retired one is nobody's concern any more and has the state that it was left in."""
    at = now or clock.now()
    return things.annotate(state=Case(*_whens(at), default=Value("online"), output_field=CharField()))


def _whens(at: datetime) -> list[When]:
    running = MaintenanceWindow.objects.filter(thing=OuterRef("pk"), starts_at__lte=at, ends_at__gt=at).filter(
        Q(ended_at=None) | Q(ended_at__gt=at)
    )
    silent = [When(devices, last_seen__lt=at - span, then=Value("silent")) for span, devices in _patience()]
    return [When(Exists(running), then=Value("maintained")), When(last_seen=None, then=Value("never")), *silent]


def _patience() -> list[tuple[timedelta, Q]]:
    """How long the types may be silent; a type that is not declared, as long as the model says."""
    spans: dict[timedelta, list[str]] = defaultdict(list)
    devices = in_force().all(Device)
    for id, device in devices.items():
        spans[parse_span(device.silent_after)].append(id)
    usual = parse_span(str(Device.model_fields["silent_after"].default))
    return [*((span, Q(device__in=ids)) for span, ids in spans.items()), (usual, ~Q(device__in=list(devices)))]
