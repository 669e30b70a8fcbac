"""Pages: the credentials of one thing."""

from datetime import datetime, time

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from haitang.base import clock
from haitang.base.actions import acting, may
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.base.settings import settings
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.base.text import translate
from haitang.support.infrastructure.credentials import actions, queries
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.queries import READ, get

BAD_DATE = error("credentials.bad_date", 400, "日期“{text}”不可用，写成 2026-12-31。")
WRITES = ("issue_credential", "rotate_credential", "revoke_credential")


@require_GET
@page(READ)
def credentials(request: HttpRequest, id: str) -> HttpResponse:
    """What the device signs in with, and when it last did."""
    thing, now = get(id), clock.now()
    rows = [{"credential": each, "holds": each.holds(now)} for each in queries.of(thing).select_related("replaces")]
    context = {
        "thing": thing, "rows": rows, "may": {name: may(reader(request), f"things.{name}") for name in WRITES},
        "mqtt": f"{settings().host}:{settings().mqtt}", "http": f"{settings().url}/api/data/observations",
    }  # fmt: skip
    return show(request, "credentials/credentials.html", context)


@require_POST
@page("things.issue_credential")
@never_cache
def issue(request: HttpRequest, id: str) -> HttpResponse:
    """Answers with the secret itself: it is nowhere kept, so that no second page could show it."""
    with acting(reader(request)) as act:
        made = actions.issue(act=act, thing=get(id), label=request.POST.get("label", "").strip()[:100], valid_until=_until(request))
    return _shown(request, made)


@require_POST
@page("things.rotate_credential")
@never_cache
def rotate(request: HttpRequest, id: str, identifier: str) -> HttpResponse:
    with acting(reader(request)) as act:
        made = actions.rotate(act=act, credential=queries.get(get(id), identifier), until=_until(request))
    return _shown(request, made)


@require_POST
@page("things.revoke_credential")
def revoke(request: HttpRequest, id: str, identifier: str) -> HttpResponseRedirect:
    with acting(reader(request)) as act:
        actions.revoke(act=act, credential=queries.get(get(id), identifier), reason=request.POST.get("reason", "").strip()[:200])
    messages.success(request, translate("凭据已吊销，已建立的连接将在数秒内断开"))
    return HttpResponseRedirect(f"/things/{id}/credentials")


def _shown(request: HttpRequest, made: actions.Issued) -> HttpResponse:
    credential = made.credential
    device = in_force().all(Device).get(credential.thing.device)
    context = {
        "thing": credential.thing, "credential": credential, "secret": made.secret, "host": settings().host, "port": settings().mqtt,
        "address": f"{settings().url}/api/data/observations", "property": next(iter(device.observes), "…") if device else "…",
    }  # fmt: skip
    return show(request, "credentials/issued.html", context)


def _until(request: HttpRequest) -> datetime | None:
    """The end of the day that was chosen, China's civil time."""
    text = request.POST.get("until", "").strip()
    if not text:
        return None
    try:
        return datetime.combine(datetime.fromisoformat(text).date(), time.max, clock.CHINA)
    except ValueError:
        raise BAD_DATE(text=text) from None


urlpatterns = [
    path("things/<str:id>/credentials", credentials),
    path("things/<str:id>/credentials/issue", issue),
    path("things/<str:id>/credentials/<str:identifier>/rotate", rotate),
    path("things/<str:id>/credentials/<str:identifier>/revoke", revoke),
]
