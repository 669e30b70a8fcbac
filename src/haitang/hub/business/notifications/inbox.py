"""The inbox, the badge, and who was told about a matter."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_POST

from haitang.base.actions import acting, require
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.hub.business.cases.models import Case
from haitang.hub.business.notifications import queries
from haitang.hub.business.notifications.actions import see

MOST = 200


@require_GET
@page(anyone="one's own notices")
def inbox(request: HttpRequest) -> HttpResponse:
    """One's own notices, the unseen first."""
    actor = reader(request)
    only = request.GET.get("unseen") == "1"
    found = list(queries.inbox(actor.id, only_unseen=only)[:MOST])
    found.sort(key=lambda notice: notice.seen_at is not None)
    return show(request, "notifications/inbox.html", {"notices": found, "only": only, "unseen_count": queries.count_unseen(actor)})


@require_POST
@page(anyone="one's own notices")
def see_all(request: HttpRequest) -> HttpResponse:
    """Mark all of one's own as seen."""
    actor = reader(request)
    with acting(actor) as act:
        for notice in queries.inbox(actor.id, only_unseen=True):
            see(act=act, notice=notice)
    return HttpResponseRedirect("/inbox")


@require_GET
@page(anyone="one's own notices")
def count(request: HttpRequest) -> HttpResponse:
    """The badge, for the live feed."""
    return show(request, "notifications/count.html", {"count": queries.count_unseen(reader(request))})


@require_GET
@page("case.read", own=True)
def about(request: HttpRequest, subject: str) -> HttpResponse:
    """Who was told about a matter, over which channel, and who has not seen it."""
    kind, _, id = subject.partition(":")
    require(reader(request), "case.read", Case.objects.filter(pk=id).first() if kind == "case" else None)
    return show(request, "notifications/about.html", {"told": list(queries.told(subject))})
