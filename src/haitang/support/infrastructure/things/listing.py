"""The list of things: how it is narrowed, what a row shows."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils.html import format_html
from django.utils.safestring import SafeString

from haitang.base import clock
from haitang.base.actions import Actor
from haitang.base.declarations import in_force
from haitang.base.shell.tables import Column, Filter
from haitang.base.shell.templatetags.shell import origin, status, when
from haitang.base.text import T, translate
from haitang.support.infrastructure.things.health import STATES, with_state
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import Membership, Thing, ThingGroup
from haitang.support.infrastructure.things.queries import readable
from haitang.support.infrastructure.twin.queries import flagged
from haitang.support.security.people.models import Organization

STATUSES = {"provisional": T("待确认"), "admitted": T("已接入"), "retired": T("已停用"), "maintained": T("维护中")}
EXPIRING = timedelta(days=30)  # a credential that ends within is to be rotated
NONE = "-"  # as a device type or organization: that none is known


def rows(actor: Actor) -> QuerySet[Any]:
    """What a reader may see, provisional things first, each with its `state` (health.STATES)."""
    first = Case(When(status=Thing.PROVISIONAL, then=Value(0)), default=Value(1))
    return with_state(readable(actor)).order_by(first, "id")


def _by_status(rows: Any, value: str) -> Any:
    return rows.filter(state="maintained") if value == "maintained" else rows.filter(status=value)


def _by_text(rows: Any, value: str) -> Any:
    return rows.filter(Q(title__icontains=value) | Q(id__icontains=value) | Q(mn__icontains=value))


def _by_state(rows: Any, value: str) -> Any:
    return rows.filter(state=value).exclude(status=Thing.RETIRED)


def _by_group(rows: Any, value: str) -> Any:
    return rows.filter(Exists(Membership.objects.filter(thing=OuterRef("pk"), group=value, until=None)))


def _by_expiry(rows: Any, value: str) -> Any:
    now = clock.now()
    held = {"credentials__ended_at": None, "credentials__valid_until__gt": now, "credentials__valid_until__lte": now + EXPIRING}
    return rows.filter(pk__in=Thing.objects.filter(**held).values("pk"))


def _by_quality(rows: Any, value: str) -> Any:
    return rows.filter(pk__in=flagged().values("thing")).exclude(status=Thing.RETIRED)


def _devices() -> Mapping[str, str]:
    return {**{id: device.title for id, device in in_force().all(Device).items()}, NONE: T("未确定")}


def _organizations() -> Mapping[str, str]:
    return {**dict(Organization.objects.filter(active=True).order_by("title").values_list("pk", "title")), NONE: T("未指定")}


def _groups() -> Mapping[str, str]:
    return dict(ThingGroup.objects.values_list("pk", "title"))


def filters() -> list[Filter]:
    return [
        Filter("q", T("名称、编号或 MN"), _by_text, "text"),
        Filter("status", T("状态"), _by_status, choices=lambda: STATUSES),
        Filter("state", T("运行情况"), _by_state, choices=lambda: {name: word for name, (_, word) in STATES.items()}),
        Filter("device", T("设备类型"), lambda r, v: r.filter(device="" if v == NONE else v), choices=_devices),
        Filter("organization", T("所属单位"), lambda r, v: r.filter(organization_id="" if v == NONE else v), choices=_organizations),
        Filter("group", T("分组"), _by_group, choices=_groups),
        Filter("expiring", T("凭据将到期"), _by_expiry, "flag"),
        Filter("flagged", T("质量异常"), _by_quality, "flag"),
    ]


def columns() -> list[Column]:
    """With what every row needs read once."""
    owners, titles = dict(Organization.objects.values_list("pk", "title")), _devices()
    return [
        Column("title", T("名称"), lambda t: t.title, _title, sort="title", wide=True),
        Column("id", T("编号"), lambda t: t.id, lambda t: format_html("<code>{}</code>", t.id), sort="id", shown=False),
        Column("device", T("设备类型"), lambda t: t.device, lambda t: translate(titles.get(t.device, t.device)), sort="device"),
        Column("organization", T("所属单位"), lambda t: t.organization_id, lambda t: translate(owners.get(t.organization_id, "")), sort="organization_id"),
        Column("mn", "MN", lambda t: t.mn or "", lambda t: format_html("<code>{}</code>", t.mn or ""), sort="mn"),
        Column("status", T("状态"), lambda t: t.status, _status, sort="status"),
        Column("state", T("运行情况"), lambda t: t.state, _state, sort="state"),
        Column("last_seen", T("最近收到"), lambda t: t.last_seen, _last_seen, sort="last_seen"),
        Column("division", T("区划代码"), lambda t: t.division, sort="division", shown=False),
    ]  # fmt: skip


def _title(thing: Any) -> SafeString:
    return format_html('<a href="/things/{}">{}</a> {}', thing.id, translate(thing.title), origin(thing.origin))


COLOURS = {Thing.PROVISIONAL: "notice", Thing.ADMITTED: "normal", Thing.RETIRED: "stale"}


def _status(thing: Any) -> SafeString:
    return status(COLOURS[thing.status], STATUSES[thing.status])


def _state(thing: Any) -> SafeString | str:
    return "" if thing.status == Thing.RETIRED else status(*STATES[thing.state])


def _last_seen(thing: Any) -> SafeString | str:
    return when(thing.last_seen) if thing.last_seen else status("nodata", T("还没有收到过数据"))
