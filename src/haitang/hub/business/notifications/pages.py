"""The addresses that mails and group messages point to: they mark the notice as seen and go on to what it is about."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET

from haitang.base.actions import acting
from haitang.base.shell.navigation import entry
from haitang.base.shell.views import page
from haitang.hub.business.notifications import choices, inbox
from haitang.hub.business.notifications.actions import NOT_YOURS, see
from haitang.hub.business.notifications.models import Notice
from haitang.hub.business.notifications.queries import count_unseen
from haitang.support.security.people.identity import actor


@require_GET
@page(anyone="one's own notices")
def open_notice(request: HttpRequest, id: UUID) -> HttpResponse:
    """One's own notice."""
    notice = Notice.objects.filter(pk=id, person_id=actor(request).id).first()
    if notice is None:
        raise NOT_YOURS()
    return _seen(request, notice)


@require_GET
@page(anyone="one's own notices")
def open_batch(request: HttpRequest, batch: UUID) -> HttpResponse:
    """What a whole group was told; a reader who was not meant is led on, and nothing is marked."""
    notice = Notice.objects.filter(batch=batch, person_id=actor(request).id).first()
    if notice is not None:
        return _seen(request, notice)
    other = Notice.objects.filter(batch=batch).first()
    if other is None:
        raise NOT_YOURS()
    return HttpResponseRedirect(other.link)


def _seen(request: HttpRequest, notice: Notice) -> HttpResponse:
    with acting(actor(request)) as act:
        see(act=act, notice=notice)
    return HttpResponseRedirect(notice.link)


entry("inbox", title="收件箱", url="/inbox", icon="inbox", group="work", order=20, badge=count_unseen)

urlpatterns = [
    path("notices/<uuid:id>/open", open_notice),
    path("notices/batch/<uuid:batch>/open", open_batch),
    path("notices/about/<str:subject>", inbox.about),
    path("inbox", inbox.inbox),
    path("inbox/count", inbox.count),
    path("inbox/seen", inbox.see_all),
    path("inbox/channels", choices.channels),
]
