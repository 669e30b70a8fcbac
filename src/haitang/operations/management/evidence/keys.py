"""The signing keys on a page: their chain, what waits for a second person, and the forms by which one officer asks for a change."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_POST

from haitang.base import clock
from haitang.base.actions import NEEDS_PROOF, Refused, acting, may
from haitang.base.errors import HaitangError, error
from haitang.base.settings import settings
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.base.text import T, sentence_of, translate
from haitang.support.security.evidence.keyring import keys, signing_key
from haitang.support.security.evidence.models import KeyCompromise, KeyProposal, Seal
from haitang.support.security.evidence.proposals import COMPROMISE, NO_REASON, OWN_PROPOSAL, ROTATE, decide, propose
from haitang.support.security.people.identity import actor
from haitang.support.security.people.models import Person

NO_PROPOSAL = error("keys.no_proposal", 404, "没有这项密钥申请。")
NOT_A_TIME = error("keys.not_a_time", 422, "“{value}”不是时间，请用日期选择框填写。")
REASONS = {
    ROTATE: {"scheduled": T("按期更换"), "suite": T("更换密码套件"), "staff_change": T("保管人员变动"), "other": T("其他")},
    COMPROMISE: {
        "lost_disk": T("磁盘或备份丢失"),
        "intrusion": T("主机被入侵"),
        "leaver": T("离任人员可能持有"),
        "other": T("其他"),
    },
}
WHAT = {ROTATE: T("更换密钥"), COMPROMISE: T("声明泄露")}


@require_GET
@page("keys.read")
def list_keys(request: HttpRequest) -> HttpResponse:
    """Every key from the first to the last, and the changes that were asked for."""
    return _shown(request)


def _shown(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    every, who = keys(), reader(request)
    marked = {each.key_id: each for each in KeyCompromise.objects.order_by("-since")}
    rows = KeyProposal.objects.order_by("-proposed_at")
    names = {f"staff:{pk}": name for pk, name in Person.objects.values_list("pk", "name")}
    context = {
        "keys": [{"key": key, "state": _state(key, marked), "seals": Seal.objects.filter(key=key).count()} for key in every],
        "marked": marked, "waiting": rows.filter(decided_at=None), "decided": rows.filter(decided_at__isnull=False)[:20], "names": names,
        "what": WHAT, "reasons": REASONS, "words": {**REASONS[ROTATE], **REASONS[COMPROMISE]}, "suite": settings().suite, "me": who.ref,
        "may_propose": may(who, "keys.propose"), "may_decide": may(who, "keys.decide"), **more,
    }  # fmt: skip
    return show(request, "evidence/keys.html", context, status=status)


def _state(key: Any, marked: dict[str, KeyCompromise]) -> tuple[str, str]:
    if key.id in marked:
        return "critical", T("已泄露")
    if (key.starts_at or key.created_at) > clock.now():
        return "notice", T("待启用")
    return ("normal", T("使用中")) if key.id == signing_key()[0].id else ("stale", T("已更换"))


@require_POST
@page("keys.propose")
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for a change; what was typed stays where it is refused."""
    told = {name: request.POST.get(name, "").strip() for name in ("what", "key", "begins", "reason")}
    what = COMPROMISE if told["what"] == COMPROMISE else ROTATE
    try:
        reason, begins = _reason(what, told["reason"]), _time(told["begins"])
        with acting(actor(request)) as act:
            propose(act=act, what=what, key=told["key"], begins=begins, reason=reason)
    except HaitangError as refused:
        if isinstance(refused, Refused) or refused.code == NEEDS_PROOF.code:
            raise
        return _shown(request, refused.status, problem={what: sentence_of(refused)}, typed={what: told})
    messages.success(request, translate(T("已提出，请另一位安全管理员审批。")))
    return HttpResponseRedirect("/evidence/keys")


def _reason(what: str, given: str) -> str:
    if given not in REASONS[what]:
        raise NO_REASON()
    return given


def _time(given: str) -> datetime | None:
    if not given:
        return None
    try:
        at = datetime.fromisoformat(given)
        return at.replace(tzinfo=at.tzinfo or clock.CHINA)
    except ValueError:
        raise NOT_A_TIME(value=given[:40]) from None


@require_POST
@page("keys.decide")
def settle(request: HttpRequest, id: UUID) -> HttpResponse:
    """Approve or refuse."""
    found = KeyProposal.objects.filter(pk=id).first()
    if found is None:
        raise NO_PROPOSAL()
    approve = request.POST.get("do") == "approve"
    try:
        with acting(actor(request)) as act:
            decide(act=act, proposal=found, approve=approve)
    except HaitangError as refused:
        if refused.code != OWN_PROPOSAL.code:
            raise
        return _shown(request, refused.status, refused=sentence_of(refused))
    messages.success(request, translate(T("已办理：密钥已变更并公布。") if approve else T("已办理：未批准。")))
    return HttpResponseRedirect("/evidence/keys")
