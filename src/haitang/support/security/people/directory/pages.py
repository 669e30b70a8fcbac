"""Pages: the list of people with its filters, a new person, one person."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from haitang.base import ports
from haitang.base.actions import acting, may
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError, error
from haitang.base.settings import settings
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import entry
from haitang.base.shell.tables import Column, Empty, Filter, Table
from haitang.base.shell.views import page, show
from haitang.base.shell.words import who
from haitang.base.text import T, sentence_of, translate
from haitang.support.security.people import actions
from haitang.support.security.people.devices import shown
from haitang.support.security.people.factors.actions import reset_factors
from haitang.support.security.people.factors.queries import factors_of
from haitang.support.security.people.handing_over.actions import change_person
from haitang.support.security.people.handing_over.queries import delegations_of, takers_for
from haitang.support.security.people.identity import actor
from haitang.support.security.people.joining.actions import ask_role, invite
from haitang.support.security.people.joining.models import RoleRequest
from haitang.support.security.people.joining.pages import link_of, send
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import SORTS, Organization, Person
from haitang.support.security.people.officers import AUDIT_ADMINISTRATOR, SECURITY_ADMINISTRATOR, is_officer
from haitang.support.security.people.queries import sessions_of

NO_SUCH_PERSON = error("people.no_such_person", 404, "没有这个人员。")

entry("people", title="人员与角色", url="/people", icon="users", group="run", order=20, permission="people.read")

SORT_TITLES = {"staff": T("工作人员"), "citizen": T("市民"), "enterprise": T("企业")}
STATES = {"active": T("在用"), "off": T("已停用"), "left": T("已离任")}


def _name(person: Person) -> SafeString:
    marks = format_html(' <span class="origin-mark">{}</span>', translate("虚构")) if person.synthetic else ""
    return format_html('<a href="/people/{}">{}</a>{}', person.pk, who(person.name), marks)


def _state(person: Person) -> SafeString:
    state = "left" if person.left_at else "active" if person.is_active else "off"
    return format_html('<span class="status status-{}">{}</span>', "normal" if state == "active" else "stale", translate(STATES[state]))


def _roles(person: Person) -> str:
    declared = in_force().all(Role)
    return translate("、").join(sorted(translate(declared[h.role].title) if h.role in declared else h.role for h in person.holdings.all()))


def _organization(person: Person) -> str:
    return translate(person.organization.title) if person.organization else ""


COLUMNS = (
    Column("name", T("姓名"), lambda p: p.name, _name, sort="name"),
    Column("username", T("用户名"), lambda p: p.username, sort="username"),
    Column("staff_number", T("工号"), lambda p: p.staff_number or "", sort="staff_number", shown=False),
    Column("organization", T("机构"), _organization, sort="organization_id"),
    Column("roles", T("角色"), _roles, wide=True),
    Column("sort", T("身份类别"), lambda p: translate(SORT_TITLES.get(p.kind, p.kind)), sort="kind", shown=False),
    Column("state", T("状态"), lambda p: p.is_active, _state),
)


def _text(rows: Any, text: str) -> Any:
    return rows.filter(Q(name__icontains=text) | Q(username__icontains=text) | Q(staff_number__icontains=text))


def _by_state(rows: Any, state: str) -> Any:
    return rows.filter(
        **{"left": {"left_at__isnull": False}, "off": {"is_active": False, "left_at__isnull": True}}.get(state, {"is_active": True})
    )


def _organizations() -> dict[str, str]:
    return dict(Organization.objects.filter(active=True).order_by("id").values_list("id", "title"))


FILTERS = (
    Filter("q", T("姓名、用户名或工号"), _text, kind="text"),
    Filter("organization", T("机构"), lambda rows, value: rows.filter(organization_id=value), choices=_organizations),
    Filter(
        "role", T("角色"), lambda rows, value: rows.filter(holdings__role=value),
        choices=lambda: {id: role.title for id, role in in_force().all(Role).items()},
    ),
    Filter("sort_of", T("身份类别"), lambda rows, value: rows.filter(kind=value), choices=lambda: {sort: SORT_TITLES[sort] for sort in SORTS}),
    Filter("state", T("状态"), _by_state, choices=lambda: STATES),
)  # fmt: skip


@require_GET
@page("people.read")
def people(request: HttpRequest) -> HttpResponse:
    """Everybody."""
    rows = Person.objects.select_related("organization").prefetch_related("holdings")
    empty = Empty(T("没有符合条件的人员"), T("请放宽筛选条件，或清除筛选后再看。"))
    table = Table(request, "people", rows=rows, columns=COLUMNS, filters=FILTERS, sort="username", empty=empty)
    by = reader(request)
    context = {
        "may_create": may(by, "people.create"), "may_import": may(by, "people.import"), "unappointed": _unappointed(request),
        "requests": RoleRequest.objects.filter(decided_at=None).count(),
    }  # fmt: skip
    return table.response("people/people.html", context)


def _unappointed(request: HttpRequest) -> list[Role]:
    """The offices that the first administrator still has to fill."""
    if settings().demo or not may(reader(request), "people.appoint"):  # a demonstration has its officers, all made up
        return []
    every = in_force().all(Role)
    return [every[role] for role in (SECURITY_ADMINISTRATOR, AUDIT_ADMINISTRATOR) if role in every and not actions.appointed(role)]


@require_http_methods(["GET", "POST"])
@page("people.create")
def new(request: HttpRequest) -> HttpResponse:
    """A new account; its one-time secret is shown once, on the person's page."""
    context: dict[str, Any] = {"organizations": Organization.objects.filter(active=True).order_by("id"), "typed": request.POST}
    if request.method == "GET":
        return show(request, "people/new.html", context)
    told = {name: request.POST.get(name, "").strip() for name in ("username", "name", "organization", "email", "mobile", "staff_number")}
    try:
        with acting(actor(request)) as act:
            made = actions.create_person(
                act=act, username=told["username"], name=told["name"], organization=told["organization"] or None, email=told["email"],
                mobile=told["mobile"], staff_number=told["staff_number"] or None, identity_number=request.POST.get("identity_number", ""),
            )  # fmt: skip
            by_hand = request.POST.get("how") == "secret"
            secret = actions.first_secret(act=act, person=made) if by_hand else invite(act=act, person=made)
    except HaitangError as refused:
        return show(request, "people/new.html", {**context, "problem": sentence_of(refused)}, status=refused.status)
    return _one(request, made, secret=secret) if by_hand else _invited(request, made, secret)


def _invited(request: HttpRequest, who: Person, token: str) -> HttpResponse:
    """Mailed where mail is set up, else the link is shown to the inviter, once."""
    told = send(who, token)
    if told:
        messages.success(request, told)
    return _one(request, who, link="" if told else link_of(token))


def person_with(id: UUID) -> Person:
    """The person of an address; raises NO_SUCH_PERSON."""
    found = Person.objects.select_related("organization").filter(pk=id).first()
    if found is None:
        raise NO_SUCH_PERSON()
    return found


WORDS = (
    "create", "give_role", "take_role", "set_password", "set_active", "end_sessions", "appoint", "invite", "reset_factors", "transfer",
    "ask_role", "change", "delegate_for", "leave",
)  # fmt: skip


def _one(request: HttpRequest, who: Person, **more: Any) -> HttpResponse:
    declared, by = in_force().all(Role), reader(request)
    held = sorted(who.holdings.values_list("role", flat=True))
    context = {
        "who": who, "sort": SORT_TITLES.get(who.kind, who.kind), "state": _state(who),
        "held": [(id, declared[id].title if id in declared else id) for id in held],
        "roles": {id: role for id, role in declared.items() if id not in held} if who.kind == "staff" else {},
        "offices": [role for role in _unappointed(request) if role.id not in held],
        "may": {word: may(by, f"people.{word}") for word in WORDS},
        "self": by.ref == f"{who.kind}:{who.pk}",
        "sessions": [shown(each) for each in sessions_of(who)] if may(by, "people.end_sessions") else [],
        "asked": [declared[id].title for id in _asked(who) if id in declared],
        "organizations": Organization.objects.filter(active=True).order_by("id"),
        "factors": factors_of(who), "officer": is_officer(who), "may_follow": may(by, "evidence.read"),
        "delegations": delegations_of(who) if who.kind == "staff" else ((), ()),
        "typed": {name: getattr(who, name) for name in ("name", "email", "mobile")},
        "open_work": ports.duties().open_of(str(who.pk)), "takers": takers_for(who),
        **more,
    }  # fmt: skip
    return show(request, "people/person.html", context)


def _asked(who: Person) -> list[str]:
    return list(RoleRequest.objects.filter(person=who, decided_at=None).values_list("role", flat=True))


@require_POST
@page("people.change")
def change_data(request: HttpRequest, id: UUID) -> HttpResponse:
    """Name, e-mail address and mobile number of somebody."""
    who = person_with(id)
    typed = {name: request.POST.get(name, getattr(who, name)).strip() for name in ("name", "email", "mobile")}
    try:
        with acting(actor(request)) as act:
            change_person(act=act, person=who, **typed)
    except HaitangError as refused:
        if refused.status == 403:
            raise
        answer = _one(request, person_with(id), typed=typed, problem=sentence_of(refused))
        answer.status_code = refused.status
        return answer
    messages.success(request, translate(T("资料已保存。")))
    return HttpResponseRedirect(f"/people/{who.pk}")


@require_POST
@page("people.end_sessions")
def end_session(request: HttpRequest, id: UUID, session: UUID) -> HttpResponse:
    """End one session of somebody."""
    who = person_with(id)
    with acting(actor(request)) as act:
        actions.end_sessions(act=act, person=who, session=sessions_of(who).filter(id=session).first() or actions.no_session())
    messages.success(request, translate(T("已结束该登录。")))
    return HttpResponseRedirect(f"/people/{who.pk}")


@require_GET
@page("people.read")
def one(request: HttpRequest, id: UUID) -> HttpResponse:
    """One person: roles, account, sessions."""
    return _one(request, person_with(id))


@require_POST
@page("people.read")
def change(request: HttpRequest, id: UUID) -> HttpResponse:
    """The button pressed says what is done; each action asks for its own permission."""
    who, role, secret, token, code = person_with(id), request.POST.get("role", ""), None, "", ""
    with acting(actor(request)) as act:
        match request.POST.get("do"):
            case "give":
                actions.give_role(act=act, person=who, role=role)
            case "take":
                actions.take_role(act=act, person=who, role=role)
            case "appoint":
                actions.appoint(act=act, person=who, role=role)
            case "reset":
                secret = actions.set_password(act=act, person=who)
            case "ask":
                ask_role(act=act, person=who, role=role)
            case "invite":
                token = invite(act=act, person=who)
            case "factors":
                code = reset_factors(act=act, person=who)
            case "end":
                actions.end_sessions(act=act, person=who)
            case "on" | "off" as state:
                actions.set_active(act=act, person=who, active=state == "on")
    if token:
        return _invited(request, who, token)
    if secret:
        return _one(request, who, secret=secret)
    if code:
        return _one(request, who, code=code)
    messages.success(request, translate(T("已办理。")))
    return HttpResponseRedirect(f"/people/{who.pk}")


urlpatterns = [
    path("people", people),
    path("people/new", new),
    path("people/<uuid:id>", one),
    path("people/<uuid:id>/change", change),
    path("people/<uuid:id>/data", change_data),
    path("people/<uuid:id>/sessions/<uuid:session>/end", end_session),
]
