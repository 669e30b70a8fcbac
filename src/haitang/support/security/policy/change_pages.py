"""Pages: releases and edits that change who may do what, and the security administrator's consent to them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_POST

from haitang.base import ports
from haitang.base.actions import acting, may
from haitang.base.declarations.models import Edit, Proposal
from haitang.base.errors import error
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import entry
from haitang.base.shell.views import page, show
from haitang.base.shell.words import who
from haitang.base.text import translate
from haitang.support.security.people.models import Person
from haitang.support.security.people.officers import SECURITY_ADMINISTRATOR
from haitang.support.security.people.queries import holders
from haitang.support.security.policy.actions import APPROVE, decide_guarded_edit, decide_release

NO_CHANGE = error("policy.no_change", 404, "没有这项权限变更。")

entry("policy_changes", title="权限变更", url="/policies/changes", icon="lock-check", group="run", order=31, permission="declarations.read")


@require_GET
@page("declarations.read")
def changes(request: HttpRequest) -> HttpResponse:
    """What waits for consent, with what it would change in words; what was decided."""
    edits = Edit.objects.filter(kind__in=ports.second_key().kinds)
    proposals = Proposal.objects.all()
    context = {
        "proposals": proposals.filter(status=Proposal.Status.PROPOSED),
        "edits": edits.filter(status=Edit.Status.PROPOSED),
        "decided": proposals.exclude(status=Proposal.Status.PROPOSED).order_by("-decided_at")[:20],
        "decided_edits": edits.exclude(status=Edit.Status.PROPOSED).order_by("-decided_at")[:20],
        "names": _names(),
        "officers": [person.name for person in holders([SECURITY_ADMINISTRATOR])],
        "may_approve": may(reader(request), APPROVE),
    }
    return show(request, "policy/changes.html", context)


def _names() -> dict[str, str]:
    people = {f"{kind}:{pk}": name for pk, kind, name in Person.objects.values_list("pk", "kind", "name")}
    return {**people, **{f"system:{name}": who(name) for name in ("operator", "setup")}}


@require_POST
@page(APPROVE)
def decide_proposal(request: HttpRequest, id: UUID) -> HttpResponse:
    """Consent to a release, or refuse it."""
    found = Proposal.objects.filter(pk=id).first()
    if found is None:
        raise NO_CHANGE()
    approve = request.POST.get("do") == "approve"
    with acting(reader(request)) as act:
        decide_release(act=act, proposal=found, approve=approve, note=request.POST.get("note", ""))
    return _done(request, approve)


@require_POST
@page(APPROVE)
def decide_edit(request: HttpRequest, id: UUID) -> HttpResponse:
    """Consent to an edit, or refuse it."""
    found = Edit.objects.filter(pk=id, kind__in=ports.second_key().kinds).first()
    if found is None:
        raise NO_CHANGE()
    approve = request.POST.get("do") == "approve"
    with acting(reader(request)) as act:
        decide_guarded_edit(act=act, edit=found, approve=approve, note=request.POST.get("note", ""))
    return _done(request, approve)


def _done(request: HttpRequest, approve: bool) -> HttpResponse:
    messages.success(request, translate("已批准" if approve else "未批准"))
    return HttpResponseRedirect("/policies/changes")
