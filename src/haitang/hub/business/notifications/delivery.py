"""Getting deliveries out of the house, within the limits of the far end."""

from datetime import datetime, timedelta

from django.db import connection
from django.utils import translation

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.base.settings import settings
from haitang.hub.business.notifications.actions import note_failure, note_sent
from haitang.hub.business.notifications.channels import DINGTALK, TO_A_GROUP, address, channel, language_of
from haitang.hub.business.notifications.jobs import lead, put_off
from haitang.hub.business.notifications.models import Delivery
from haitang.support.infrastructure.outside.dingtalk import PER_MINUTE
from haitang.support.infrastructure.outside.errors import REFUSED, TOO_FAST

NOTIFICATIONS = system("notifications")
WHEN_THROTTLED = timedelta(minutes=10)
_ROBOT_LOCK = 0x48616944696E67  # "HaiDing": one sender at a time, so that the count of the last minute is right


def attempt(delivery_id: int) -> None:
    """Try once what waits; a delivery that is taken, done or gone is left alone."""
    with acting(NOTIFICATIONS) as act:
        first = Delivery.objects.select_for_update(skip_locked=True).filter(pk=delivery_id, status=Delivery.QUEUED).first()
        if first is None:
            return
        deliveries = _together(first)
        if first.channel == DINGTALK and (free := _robot_free_at(act.at)) > act.at:
            _wait(deliveries, free)
            return
        try:
            note_sent(act=act, deliveries=deliveries, receipt=_send(deliveries))
        except HaitangError as failure:
            if failure.kind is TOO_FAST:
                _wait(deliveries, act.at + WHEN_THROTTLED, str(failure))
                return
            note_failure(act=act, deliveries=deliveries, reason=str(failure), for_good=failure.kind is REFUSED)
            if first.status == Delivery.QUEUED:
                put_off(first, first.next_at)


def _together(first: Delivery) -> list[Delivery]:
    if first.channel not in TO_A_GROUP:
        return [first]
    waiting = Delivery.objects.filter(notice__batch=first.notice.batch, channel=first.channel, status=Delivery.QUEUED)
    return [first, *waiting.select_for_update(of=["self"], skip_locked=True).select_related("notice__person").exclude(pk=first.pk)]


def _send(deliveries: list[Delivery]) -> str:
    notice, name = deliveries[0].notice, deliveries[0].channel
    way = channel(name)
    if way is None:
        raise REFUSED(peer=name, reason="本实例没有设置这个渠道")
    to = ",".join(found for d in deliveries if (found := address(name, d.notice.person)))
    opens = f"batch/{notice.batch}" if name in TO_A_GROUP else notice.pk
    with translation.override(language_of(d.notice.person for d in deliveries)):
        title, text = notice.said_title, notice.said_text
    return way.send(to=to, title=title, text=text, link=f"{settings().url}/notices/{opens}/open")


def _robot_free_at(now: datetime) -> datetime:
    """When the robot may speak next: at most PER_MINUTE messages in any minute."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_ROBOT_LOCK])
    recent = Delivery.objects.filter(channel=DINGTALK, attempts__gt=0, at__gt=now - timedelta(minutes=1))
    spoken = sorted(dict(recent.values_list("notice__batch", "at")).values())
    return now if len(spoken) < PER_MINUTE else spoken[-PER_MINUTE] + timedelta(minutes=1)


def _wait(deliveries: list[Delivery], until: datetime, why: str = "") -> None:
    """Not an attempt: the far end has not been asked, or said later."""
    for delivery in deliveries:
        delivery.next_at, delivery.error = until, why
        delivery.save(update_fields=["next_at", "error"])
    put_off(deliveries[0], until)


def pick_up() -> int:
    """Give a new job to deliveries whose worker died on them; returns how many."""
    lost = Delivery.objects.filter(status=Delivery.QUEUED, next_at__lt=clock.now() - timedelta(minutes=5)).select_related("notice")
    found = list(lost.order_by("pk")[:500])
    for delivery in found:
        if lead(delivery, [d for d in found if d.notice.batch == delivery.notice.batch]):
            put_off(delivery)
    return len(found)
