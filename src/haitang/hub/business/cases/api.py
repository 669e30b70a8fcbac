"""Cases as JSON. Every write answers with the case as it then stands; every refusal is {code, message, data}."""

from dataclasses import asdict
from typing import Annotated, Any

from django.http import FileResponse, HttpRequest
from ninja import File, Query, Router, Schema
from ninja.files import UploadedFile
from pydantic import Field

from haitang.base.actions import acting, require
from haitang.base.errors import error
from haitang.hub.business.cases import actions, queries, views
from haitang.hub.business.cases.filters import Filters, filtered, visible
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.opening import open_once
from haitang.hub.business.cases.statistics import BY, RATES, statistics
from haitang.support.infrastructure.files import store
from haitang.support.security.people.identity import actor, signed_in

router = Router(tags=["cases"], auth=signed_in)

BAD_GROUP = error("cases.bad_group", 422, "不能按“{by}”分组，可用：{known}")

NO_PERIOD = error("cases.no_period", 422, "请用 since 和 until 写明统计时段，如 since=2026-01-01T00:00:00+08:00。")


class NewCase(Schema):
    kind: str
    title: Annotated[str, Field(min_length=1, max_length=200)]
    severity: str = "warning"
    source: str = ""
    description: Annotated[str, Field(max_length=5000)] = ""
    thing: str | None = None
    division: Annotated[str, Field(max_length=12)] = ""
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    answers: dict[str, Any] = {}
    once: Annotated[str, Field(max_length=64)] = ""


class MoveIn(Schema):
    move: str
    answers: dict[str, Any] = {}


class PauseIn(Schema):
    reason: str
    note: Annotated[str, Field(max_length=2000)] = ""


class ExtensionIn(Schema):
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    within: Annotated[str, Field(max_length=40)] | None = None


class DecisionIn(Schema):
    approved: bool
    reason: Annotated[str, Field(max_length=2000)] = ""


class RemarkIn(Schema):
    text: Annotated[str, Field(min_length=1, max_length=2000)]


@router.get("/cases", summary="案件列表")
def get_cases(request: HttpRequest, filters: Query[Filters], sort: str = "-opened", page: int = 1, size: int = 50) -> dict[str, Any]:
    who = actor(request)
    require(who, "case.read", {"organization": who.organization})
    found = queries.cases(who, filters, sort=sort, page=page, size=size)
    return {"total": found.total, "page": found.page, "size": found.size, "cases": [views.row(case) for case in found.cases]}


@router.post("/cases", summary="人工立案")
def post_case(request: HttpRequest, body: NewCase) -> dict[str, Any]:
    """The form of the case's type is answered under `answers`; sent again with the same `once`, it gives the case that is there."""
    where = actions.Where(body.thing, body.division, body.longitude, body.latitude)
    with acting(actor(request)) as act:
        made = open_once(
            act=act,
            once=body.once,
            kind=body.kind,
            title=body.title,
            severity=body.severity,
            description=body.description,
            where=where,
            answers=body.answers,
            source=body.source,
        )
    return views.row(made)


@router.get("/cases/statistics", summary="评价指标")
def get_statistics(request: HttpRequest, filters: Query[Filters], by: str | None = None) -> list[dict[str, Any]]:
    """`since` and `until` are the period; the other filters choose the cases."""
    who = actor(request)
    require(who, "case.read", {"organization": who.organization})
    since, until = filters.since, filters.until
    if since is None or until is None:
        raise NO_PERIOD()
    if by is not None and by not in BY:
        raise BAD_GROUP(by=by, known="、".join(BY))
    read = filters.model_copy(update={"since": None, "until": None})
    found = statistics(filtered(visible(who), read, who), since=since, until=until, by=by)
    return [{**asdict(figures), **{rate: getattr(figures, rate) for rate in RATES}} for figures in found]


@router.get("/cases/{number}", summary="案件")
def get_case(request: HttpRequest, number: str) -> dict[str, Any]:
    return views.detail(_case(request, number))


@router.get("/cases/{number}/moves", summary="现在可以办理的步骤")
def get_moves(request: HttpRequest, number: str) -> list[dict[str, Any]]:
    return [views.move(found) for found in queries.moves_for(_case(request, number), actor(request))]


@router.post("/cases/{number}/moves", summary="办理")
def post_move(request: HttpRequest, number: str, body: MoveIn) -> dict[str, Any]:
    with acting(actor(request)) as act:
        case = queries.case_to_work_on(actor(request), number)
        return views.row(actions.move_case(act=act, case=case, move=body.move, answers=body.answers))


@router.post("/cases/{number}/pause", summary="暂停计时")
def post_pause(request: HttpRequest, number: str, body: PauseIn) -> dict[str, Any]:
    with acting(actor(request)) as act:
        return views.row(actions.pause_case(act=act, case=_case(request, number), reason=body.reason, note=body.note))


@router.post("/cases/{number}/resume", summary="恢复计时")
def post_resume(request: HttpRequest, number: str) -> dict[str, Any]:
    with acting(actor(request)) as act:
        return views.row(actions.resume_case(act=act, case=_case(request, number)))


@router.post("/cases/{number}/extension", summary="申请延期")
def post_extension(request: HttpRequest, number: str, body: ExtensionIn) -> dict[str, Any]:
    with acting(actor(request)) as act:
        return views.row(actions.ask_case_extension(act=act, case=_case(request, number), reason=body.reason, within=body.within))


@router.post("/cases/{number}/extension/decision", summary="审批延期")
def post_decision(request: HttpRequest, number: str, body: DecisionIn) -> dict[str, Any]:
    with acting(actor(request)) as act:
        return views.row(actions.decide_case_extension(act=act, case=_case(request, number), approved=body.approved, reason=body.reason))


@router.post("/cases/{number}/remarks", summary="添加说明")
def post_remark(request: HttpRequest, number: str, body: RemarkIn) -> dict[str, Any]:
    with acting(actor(request)) as act:
        return views.row(actions.remark_case(act=act, case=_case(request, number), text=body.text))


@router.post("/cases/{number}/attachments", summary="上传附件")
def post_attachment(request: HttpRequest, number: str, file: File[UploadedFile]) -> dict[str, Any]:
    with acting(actor(request)) as act:
        return views.attachment(actions.attach(act=act, case=_case(request, number), stream=file, name=file.name or ""))


@router.get("/cases/{number}/attachments/{digest}", summary="下载附件")
def get_attachment(request: HttpRequest, number: str, digest: str) -> FileResponse:
    found = _case(request, number).attachments.filter(digest=digest).first()
    if found is None:
        raise store.NO_FILE(digest=digest[:64])
    shown = found.media_type.startswith(("image/", "video/"))
    answer = FileResponse(store.get(digest), as_attachment=not shown, filename=found.name, content_type=found.media_type)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox"
    return answer


def _case(request: HttpRequest, number: str) -> Case:
    return queries.case_by_number(actor(request), number)
