"""One's own notices as JSON."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from haitang.base.actions import acting
from haitang.base.text import CHINESE
from haitang.hub.business.notifications.actions import NOT_YOURS, choose_channels, see
from haitang.hub.business.notifications.channels import channels_of, language_of
from haitang.hub.business.notifications.models import Notice
from haitang.hub.business.notifications.queries import inbox
from haitang.support.security.people.identity import actor, person, signed_in

router = Router(tags=["notices"], auth=signed_in)


class Channels(Schema):
    """`language`: of mails and messages, zh-hans or en; the inbox follows the language of the page."""

    channels: list[str]
    language: str = CHINESE


def as_json(notice: Notice) -> dict[str, Any]:
    return {
        "id": str(notice.pk),
        "title": notice.said_title,
        "text": notice.said_text,
        "link": notice.link,
        "subject": notice.subject,
        "urgency": notice.urgency,
        "created_at": notice.created_at.isoformat(),
        "seen_at": notice.seen_at.isoformat() if notice.seen_at else None,
    }


def own(request: HttpRequest, id: UUID) -> Notice:
    """The reader's notice; raises NOT_YOURS."""
    found = inbox(actor(request).id).filter(pk=id).first()
    if found is None:
        raise NOT_YOURS()
    return found


@router.get("/notices", summary="我的通知")
def get_notices(request: HttpRequest, unseen: bool = False, limit: int = 50) -> dict[str, Any]:
    mine = inbox(actor(request).id)
    shown = (inbox(actor(request).id, only_unseen=True) if unseen else mine)[: max(1, min(limit, 500))]
    return {"unseen": mine.filter(seen_at__isnull=True).count(), "notices": [as_json(notice) for notice in shown]}


@router.post("/notices/{id}/seen", summary="标记为已看")
def post_seen(request: HttpRequest, id: UUID) -> dict[str, Any]:
    with acting(actor(request)) as act:
        see(act=act, notice=(notice := own(request, id)))
    return as_json(notice)


@router.get("/notices/channels", summary="我的通知渠道")
def get_channels(request: HttpRequest) -> dict[str, Any]:
    return _channels(request)


@router.put("/notices/channels", summary="设置我的通知渠道")
def put_channels(request: HttpRequest, body: Channels) -> dict[str, Any]:
    with acting(actor(request)) as act:
        choose_channels(act=act, person=person(request), channels=body.channels, language=body.language)
    return _channels(request)


def _channels(request: HttpRequest) -> dict[str, Any]:
    who = person(request)
    return {"channels": channels_of(who), "language": language_of([who])}
