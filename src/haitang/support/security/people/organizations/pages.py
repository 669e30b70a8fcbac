"""Page: the organizations, which stands under which, and a change of one."""

from collections.abc import Iterable

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from haitang.base.actions import acting, may
from haitang.base.errors import HaitangError
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.base.text import T, sentence_of, translate
from haitang.support.security.people.actions import NO_SUCH_ORGANIZATION
from haitang.support.security.people.identity import actor
from haitang.support.security.people.models import Organization
from haitang.support.security.people.organizations.actions import change_organization


def _in_order(every: Iterable[Organization]) -> list[tuple[int, Organization]]:
    """(depth, organization): each under the one that it stands under."""
    below: dict[str | None, list[Organization]] = {}
    for each in every:
        below.setdefault(each.parent_id, []).append(each)
    found: list[tuple[int, Organization]] = []
    waiting = [(0, each) for each in reversed(below.get(None, []))]
    while waiting:
        depth, each = waiting.pop()
        found.append((depth, each))
        waiting += [(depth + 1, child) for child in reversed(below.get(each.pk, []))]
    return found


def _show(request: HttpRequest, status: int = 200, problem: str = "") -> HttpResponse:
    rows = Organization.objects.annotate(count=Count("people", filter=Q(people__is_active=True))).order_by("id")
    context = {"rows": _in_order(rows), "may_change": may(reader(request), "people.change_organization"), "problem": problem}
    return show(request, "people/organizations.html", context, status=status)


@require_GET
@page("people.read")
def organizations(request: HttpRequest) -> HttpResponse:
    """Every organization."""
    return _show(request)


@require_POST
@page("people.change_organization")
def change(request: HttpRequest, id: str) -> HttpResponse:
    """Name, division, and under which it stands."""
    found = Organization.objects.filter(pk=id).first()
    try:
        if found is None:
            raise NO_SUCH_ORGANIZATION(organization=id)
        with acting(actor(request)) as act:
            told = {name: request.POST.get(name, "") for name in ("title", "parent", "division")}
            change_organization(act=act, organization=found, **told)
    except HaitangError as refused:
        if refused.status == 403:
            raise
        return _show(request, refused.status, sentence_of(refused))
    messages.success(request, translate(T("机构已调整。按单位判断的授权规则在两秒内随之生效。")))
    return HttpResponseRedirect("/people/organizations")


urlpatterns = [path("people/organizations", organizations), path("people/organizations/<slug:id>", change)]
