"""Pages: why a request was refused, all policies, “may X do Y on Z?”, and what was refused to whom."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.html import format_html
from django.views.decorators.http import require_GET

from haitang.base.actions import may, permissions
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import entry
from haitang.base.shell.tables import Column, Empty, Filter, Table
from haitang.base.shell.templatetags.shell import when
from haitang.base.shell.views import page, show
from haitang.base.text import T, sentence_of, translate
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Organization, Person
from haitang.support.security.policy import change_pages
from haitang.support.security.policy.engine import NONE, engine
from haitang.support.security.policy.explain import actor_now, explain, explain_refusal, subject_then
from haitang.support.security.policy.models import Refusal
from haitang.support.security.policy.queries import READ, recent, refusal
from haitang.support.security.policy.trial import NO_SUCH_PERMISSION, Trial, try_it
from haitang.support.security.policy.words import ATTRIBUTE_TITLES, LEVEL_TITLES, SORT_TITLES

entry("policies", title="授权规则", url="/policies", icon="shield-lock", group="run", order=30, permission="policy.read")


@require_GET
@page(anyone="says only what concerns the reader's own request; a security officer reads all")
def why(request: HttpRequest, code: str) -> HttpResponse:
    """Why a request was refused, what would be needed, whom to ask."""
    who = reader(request)
    found = refusal(who, code)
    asked, officer = actor_now(found.actor), may(who, READ)
    now = asked is not None and engine().verdict(asked, found.permission, subject_then(found), NONE).allowed
    context = {
        "refusal": found,
        "told": explain_refusal(found, asked),
        "officer": officer,
        "now": now and not found.token,
        "mine": found.actor == who.ref,
    }
    return show(request, "policy/why.html", {**context, "who": _name(found.actor), "attributes": _attributes(found) if officer else []})


def _attributes(found: Refusal) -> list[tuple[str, str]]:
    return [(translate(ATTRIBUTE_TITLES.get(name, name)), str(value)) for name, value in found.subject.items()]


def _name(ref: str) -> str:
    kind, _, id = ref.partition(":")
    person = Person.objects.filter(pk=id).first() if kind not in ("system", "device") else None
    return person.name if person else id


@require_GET
@page(anyone="about the reader's own permissions only")
def why_permission(request: HttpRequest) -> HttpResponse:
    """On what the reader has a permission, and why not on more."""
    word = request.GET.get("permission", "")[:64]
    if not word:
        return HttpResponseRedirect("/people/roles")
    if word not in permissions:
        raise NO_SUCH_PERMISSION(permission=word)
    return show(request, "policy/why_permission.html", {"told": explain(reader(request), word)})


@require_GET
@page("policy.read")
def policies(request: HttpRequest) -> HttpResponse:
    """Every policy in force, with its text, in the order in which a reader looks for them."""
    order = ("shipped", "declared", "role", "own", "system")
    found = sorted(engine().policies.values(), key=lambda each: (order.index(each.sort), each.id))
    groups = [(SORT_TITLES[sort], [each for each in found if each.sort == sort]) for sort in order]
    return show(request, "policy/policies.html", {"groups": groups, "count": len(found)})


@require_GET
@page("policy.read")
def trial(request: HttpRequest) -> HttpResponse:
    """The form, and the answer where one was asked for."""
    asked, told, problem = request.GET, None, ""
    if asked.get("permission"):
        who = Trial(
            asked.get("username", "").strip(), asked.get("sort", "staff"), tuple(filter(None, asked.getlist("roles"))), asked.get("of", "")
        )
        thing = {name: asked.get(name, "")[:100] for name in ("kind", "organization", "division", "owner", "level", "stage")}
        try:
            told = try_it(who, asked["permission"], thing)
        except HaitangError as refused:
            problem = sentence_of(refused)
    context = {
        "told": told, "problem": problem, "asked": asked, "roles": in_force().all(Role), "organizations": Organization.objects.filter(active=True).order_by("id"),
        "permissions": dict(sorted(permissions.items())), "levels": LEVEL_TITLES, "chosen": asked.getlist("roles"), "officer": True,
    }  # fmt: skip
    return show(request, "policy/trial.html", context, status=400 if problem else 200)


def _columns() -> list[Column]:
    names = {str(pk): name for pk, name in Person.objects.values_list("pk", "name")}
    return [
        Column("last_at", T("最近一次"), lambda r: r.last_at, lambda r: when(r.last_at, "exact"), sort="last_at"),
        Column("actor", T("谁"), lambda r: r.actor, lambda r: names.get(r.actor.partition(":")[2], r.actor), sort="actor"),
        Column(
            "permission",
            T("要做什么"),
            lambda r: r.permission,
            lambda r: translate(permissions.get(r.permission, r.permission)),
            sort="permission",
        ),
        Column("subject", T("对什么"), lambda r: r.subject_ref),
        Column("reason", T("为什么不行"), lambda r: r.reason, lambda r: translate(r.reason), wide=True),
        Column("count", T("当日次数"), lambda r: r.count, sort="count", numeric=True),
        Column("code", T("查询编号"), lambda r: r.code, lambda r: format_html('<a class="mono" href="/why/{0}">{0}</a>', r.code)),
        Column("evidence", T("证据"), lambda r: r.evidence, lambda r: "✓" if r.evidence else "—", shown=False),
        Column("way", T("经由"), lambda r: r.way, shown=False),
    ]


@require_GET
@page("policy.read")
def refusals(request: HttpRequest) -> HttpResponse:
    """What was refused to whom, the latest first."""
    filters = [
        Filter("actor", T("谁"), lambda rows, value: rows.filter(actor=value), kind="text"),
        Filter(
            "permission",
            T("要做什么"),
            lambda rows, value: rows.filter(permission=value),
            choices=lambda: dict(sorted(permissions.items())),
        ),
    ]
    empty = Empty(T("还没有被拒绝的请求"), T("有人的请求被拒绝时，会按人、权限、对象和日期合并记在这里。"))
    return Table(request, "refusals", rows=recent(), columns=_columns(), filters=filters, sort="-last_at", unfiltered=empty).response(
        "policy/refusals.html"
    )


urlpatterns = [
    path("why", why_permission),
    path("why/<str:code>", why),
    path("policies", policies),
    path("policies/try", trial),
    path("policies/changes", change_pages.changes),
    path("policies/changes/releases/<uuid:id>", change_pages.decide_proposal),
    path("policies/changes/edits/<uuid:id>", change_pages.decide_edit),
    path("policies/refusals", refusals),
]
