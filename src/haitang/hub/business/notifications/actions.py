"""Writes: tell people, note what became of it, see a notice, choose channels."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import prefetch_related_objects

from haitang.base.actions import Act, action
from haitang.base.errors import error
from haitang.base.ids import new_id
from haitang.base.sql import add
from haitang.base.text import CHINESE, ENGLISH
from haitang.hub.business.notifications.channels import DINGTALK, INBOX, MAIL, channels_of, configured
from haitang.hub.business.notifications.jobs import lead, put_off
from haitang.hub.business.notifications.models import ChannelChoice, Delivery, Notice
from haitang.support.security.people.models import Person

NO_SUCH_CHANNEL = error("notifications.no_such_channel", 400, "没有通知渠道“{channel}”，可选：mail、dingtalk。")
NO_SUCH_LANGUAGE = error("notifications.no_such_language", 400, "没有语言“{given}”，可选：zh-hans、en。")
NOT_YOURS = error("notifications.not_yours", 404, "没有这条通知。")

MOST_ATTEMPTS = 6
FIRST_WAIT = timedelta(seconds=30)


@action("notices.tell", title="通知人员")
def tell(
    *,
    act: Act,
    people: Sequence[str],
    title: str,
    text: str,
    link: str,
    subject: str,
    urgency: str = "normal",
    data: Mapping[str, Any] | None = None,
) -> list[Notice]:
    """One notice for each active person of `people`, and its deliveries; they leave once the transaction commits.

    `title` and `text` are zh-Hans texts of the catalogue, `data` fills their places: each reader gets them in their language.
    """
    batch = new_id()
    told = _active(act, people)
    notices = [
        Notice(
            batch=batch,
            person=person,
            title=title[:200],
            text=text,
            data=dict(data or {}),
            link=link,
            subject=subject,
            urgency=urgency,
            created_at=act.at,
        )
        for person in told
    ]
    add(*notices)
    deliveries = [made for notice in notices for made in _deliveries(notice, act)]
    add(*deliveries)
    _send_off(deliveries)
    channels = sorted({delivery.channel for delivery in deliveries})
    facts = {"about": subject, "urgency": urgency, "people": [str(person.pk) for person in told], "channels": channels}
    act.record("notice", str(batch), facts)
    act.announce("notice", {"id": str(batch), "people": [str(person.pk) for person in told]})
    return notices


def _active(act: Act, people: Sequence[str]) -> list[Person]:
    """The active ones, with their choice of channels where there are any; those that this transaction has read already are not read again."""
    known = [act.memory.get((Person, id)) for id in dict.fromkeys(people)]
    if not all(known):
        known = list(Person.objects.filter(pk__in=list(people), is_active=True))
    found = sorted((person for person in known if person), key=lambda person: person.pk)
    if configured():
        prefetch_related_objects(found, "channel_choice")
    return found


def _deliveries(notice: Notice, act: Act) -> list[Delivery]:
    inbox = Delivery(notice=notice, channel=INBOX, status=Delivery.SENT, attempts=1, receipt=str(notice.pk), at=act.at)
    return [inbox, *(Delivery(notice=notice, channel=name, at=act.at, next_at=act.at) for name in channels_of(notice.person))]


def _send_off(deliveries: Sequence[Delivery]) -> None:
    """One job each, but one for a whole batch on a channel that reaches a group. Jobs are rows of this transaction."""
    for delivery in deliveries:
        if delivery.status == Delivery.QUEUED and lead(delivery, deliveries):
            put_off(delivery)


@action("notices.delivered", title="记录通知回执")
def note_sent(*, act: Act, deliveries: Sequence[Delivery], receipt: str) -> None:
    """The far end took it."""
    for delivery in deliveries:
        delivery.status, delivery.receipt, delivery.error = Delivery.SENT, receipt, ""
        _attempted(delivery, act)
    act.record(
        "notice", str(deliveries[0].notice.batch), {"channel": deliveries[0].channel, "status": Delivery.SENT, "count": len(deliveries)}
    )


@action("notices.not_delivered", title="记录通知未送达")
def note_failure(*, act: Act, deliveries: Sequence[Delivery], reason: str, for_good: bool) -> None:
    """It did not get out: refused for good, or to be tried again until the attempts are used up (30 s, 1 min, 2 min, ...)."""
    for delivery in deliveries:
        delivery.error = reason
        last = delivery.attempts + 1 >= MOST_ATTEMPTS
        delivery.status = Delivery.REFUSED if for_good else Delivery.FAILED if last else Delivery.QUEUED
        delivery.next_at = act.at + FIRST_WAIT * 2**delivery.attempts
        _attempted(delivery, act)
    facts = {"channel": deliveries[0].channel, "status": deliveries[0].status, "attempts": deliveries[0].attempts}
    act.record("notice", str(deliveries[0].notice.batch), facts)


def _attempted(delivery: Delivery, act: Act) -> None:
    delivery.attempts += 1
    delivery.at = act.at
    if delivery.status != Delivery.QUEUED:
        delivery.next_at = None
    delivery.save()


@action("notices.seen", title="查看通知")
def see(*, act: Act, notice: Notice) -> None:
    """The person it was meant for has seen it; the first time counts."""
    if str(notice.person_id) != act.actor.id:
        raise NOT_YOURS()
    if notice.seen_at is None:
        notice.seen_at = act.at
        notice.save(update_fields=["seen_at"])
    act.record("notice", str(notice.batch), {"about": notice.subject})


@action("notices.set_channels", title="设置通知渠道")
def choose_channels(*, act: Act, person: Person, channels: Sequence[str], language: str = CHINESE) -> None:
    """The channels that a person wants beside the inbox, which is always there, and the language of what goes out on them."""
    if str(person.pk) != act.actor.id:
        raise NOT_YOURS()
    for name in channels:
        if name not in (MAIL, DINGTALK):
            raise NO_SUCH_CHANNEL(channel=name)
    if language not in (CHINESE, ENGLISH):
        raise NO_SUCH_LANGUAGE(given=language)
    ChannelChoice.objects.update_or_create(person=person, defaults={"channels": list(channels), "language": language})
    act.record("person", str(person.pk), {"channels": list(channels), "language": language})
