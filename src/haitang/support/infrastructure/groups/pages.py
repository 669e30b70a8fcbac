"""Pages: the groups of things, one group, and what is done to all its things at once."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from haitang.base import clock
from haitang.base.actions import acting, may
from haitang.base.errors import HaitangError
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.base.text import sentence_of, translate
from haitang.support.infrastructure.credentials.actions import Issued
from haitang.support.infrastructure.credentials.queries import current
from haitang.support.infrastructure.groups import actions, queries
from haitang.support.infrastructure.things.forms import time_of
from haitang.support.infrastructure.things.health import STATES, with_state
from haitang.support.infrastructure.things.models import Thing, ThingGroup
from haitang.support.infrastructure.things.queries import READ
from haitang.support.security.people.models import Organization

ACTS = (
    "save_group", "remove_group", "set_group_members", "plan_group_maintenance", "end_group_maintenance", "rotate_group_credentials",
    "reassign_group",
)  # fmt: skip
SHOWN = 500


@require_GET
@page(READ, own=True)
def groups(request: HttpRequest) -> HttpResponse:
    """The groups, and the form that makes one."""
    return _list(request)


def _list(request: HttpRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    actor = reader(request)
    context = {
        "groups": queries.readable(actor), "owners": dict(Organization.objects.values_list("pk", "title")), "may": may(actor, "things.save_group"),
        "organizations": _organizations(), "problem": problem, "typed": request.POST.dict(),
    }  # fmt: skip
    return show(request, "groups/groups.html", context, status=status)


@require_POST
@page("things.save_group")
def new(request: HttpRequest) -> HttpResponse:
    told = request.POST
    try:
        with acting(reader(request)) as act:
            made = actions.save_group(
                act=act, id=told.get("id", "").strip(), title=told.get("title", "").strip()[:200], note=told.get("note", "").strip()[:500],
                organization=told.get("organization", ""), new=True,
            )  # fmt: skip
    except HaitangError as refused:
        if refused.status not in (400, 409):
            raise
        return _list(request, problem=sentence_of(refused), status=refused.status)
    return HttpResponseRedirect(f"/things/groups/{made.pk}")


@require_GET
@page(READ, own=True)
def group(request: HttpRequest, group: str) -> HttpResponse:
    """One group: its things with their state, its maintenance, what may be done to all of them."""
    return _shown(request, queries.get_for(reader(request), group))


def _shown(request: HttpRequest, found: ThingGroup, *, at: str = "", problem: str = "", status: int = 200) -> HttpResponse:
    actor, now = reader(request), clock.now()
    things = with_state(Thing.objects.filter(memberships__group=found, memberships__until=None)).order_by("id")
    context: dict[str, Any] = {
        "group": found, "things": [(each, *STATES[each.state]) for each in things[:SHOWN]], "total": things.count(),
        "windows": queries.windows(found, now), "may": {name: may(actor, f"things.{name}", found) for name in ACTS},
        "owners": dict(Organization.objects.values_list("pk", "title")), "organizations": _organizations(),
        "credentials": current().filter(thing__in=actions.members(found)).count(), "problem": {at: problem},
        "typed": {"starts_at": f"{now.astimezone(clock.CHINA):%Y-%m-%dT%H:%M}", **(request.POST.dict() if problem else {})},
    }  # fmt: skip
    return show(request, "groups/group.html", context, status=status)


def _organizations() -> Any:
    return Organization.objects.filter(active=True).order_by("title")


@require_POST
@page(READ, own=True)
def act(request: HttpRequest, group: str, what: str) -> HttpResponse:
    """Whatever is done to a group; each word asks its own permission. What is wrong is told beside its form."""
    found = queries.get_for(reader(request), group)
    do = DOES.get(what)
    if do is None:
        raise actions.NO_SUCH_GROUP(id=f"{group}/{what}")
    try:
        said = do(request, found)
    except HaitangError as refused:
        if refused.status not in (400, 409):
            raise
        return _shown(request, found, at=what, problem=sentence_of(refused), status=refused.status)
    messages.success(request, said)
    return HttpResponseRedirect("/things/groups" if what == "remove" else f"/things/groups/{group}")


def _save(request: HttpRequest, found: ThingGroup) -> str:
    told = request.POST
    with acting(reader(request)) as act:
        actions.save_group(
            act=act, id=found.pk, title=told.get("title", "").strip()[:200], note=told.get("note", "").strip()[:500],
            organization=told.get("organization", ""),
        )  # fmt: skip
    return translate("分组已保存")


def _remove(request: HttpRequest, found: ThingGroup) -> str:
    with acting(reader(request)) as act:
        actions.remove_group(act=act, group=found)
    return translate("分组已删除，其中的设备不受影响")


def _members(request: HttpRequest, found: ThingGroup) -> str:
    """`add`: ids, one a line or with spaces between; `remove`: ticked things."""
    with acting(reader(request)) as act:
        actions.set_members(
            act=act, group=found, add=request.POST.get("add", "").replace(",", " ").split(), remove=request.POST.getlist("remove")
        )
    return translate("分组成员已调整")


def _maintain(request: HttpRequest, found: ThingGroup) -> str:
    told = request.POST
    with acting(reader(request)) as act:
        count = actions.plan_maintenance(
            act=act, group=found, starts_at=time_of(told.get("starts_at", "")), ends_at=time_of(told.get("ends_at", "")),
            reason=told.get("reason", "").strip()[:200],
        )  # fmt: skip
    return translate("已为 {n} 台设备登记维护", n=count)


def _end(request: HttpRequest, found: ThingGroup) -> str:
    with acting(reader(request)) as act:
        count = actions.end_maintenance(act=act, group=found)
    return translate("已结束 {n} 台设备的维护", n=count)


def _reassign(request: HttpRequest, found: ThingGroup) -> str:
    told = request.POST
    with acting(reader(request)) as act:
        count = actions.reassign(
            act=act, group=found, organization=told.get("organization", ""), reason=told.get("reason", "").strip()[:200]
        )
    return translate("已划转 {n} 台设备", n=count)


DOES: Mapping[str, Any] = {
    "save": _save, "remove": _remove, "members": _members, "maintain": _maintain, "end-maintenance": _end, "reassign": _reassign,
}  # fmt: skip


@require_POST
@page("things.rotate_group_credentials", own=True)
@never_cache
def rotate(request: HttpRequest, group: str) -> HttpResponse:
    """Answers with the secrets themselves, as a file: they are nowhere kept."""
    with acting(reader(request)) as act:
        made = actions.rotate_credentials(act=act, group=queries.get(group))
    answer = HttpResponse(_csv(made), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="credentials-{group}.csv"'
    return answer


def _csv(made: list[Issued]) -> str:
    text = io.StringIO()
    text.write("\ufeff")
    rows = csv.writer(text)
    rows.writerow(["thing", "identifier", "secret", "replaces"])
    rows.writerows([each.credential.thing_id, each.credential.identifier, each.secret, each.credential.replaces_id] for each in made)
    return text.getvalue()


urlpatterns = [
    path("things/groups", groups),
    path("things/groups/new", new),
    path("things/groups/<str:group>", group),
    path("things/groups/<str:group>/do/<slug:what>", act),
    path("things/groups/<str:group>/credentials", rotate),
]
