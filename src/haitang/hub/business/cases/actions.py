"""Writes of cases. Steps go through the procedure engine; a case mirrors what its run says (see mirror.py)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from haitang.base.actions import Act, action
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.base.ports import Matter
from haitang.base.sql import rows
from haitang.base.text import T, translate
from haitang.hub.business.cases import notify
from haitang.hub.business.cases.kinds import CAUSE_CLEARED, ORIGIN, SEVERITY, CaseSource, CaseType, sources
from haitang.hub.business.cases.mirror import hold
from haitang.hub.business.cases.models import Case, CaseAttachment
from haitang.hub.business.cases.numbers import next_number
from haitang.hub.business.cases.standing import read_anew, standing_held, standing_of_new
from haitang.hub.business.forms.answers import read_answers, readable
from haitang.hub.business.forms.kinds import Question
from haitang.hub.business.forms.queries import questions
from haitang.hub.business.procedures import actions as runs
from haitang.hub.business.procedures.decide import decide
from haitang.hub.business.procedures.engine import answer_facts
from haitang.hub.business.procedures.log import locked, state_held
from haitang.hub.business.procedures.queries import about, questions_for
from haitang.support.infrastructure.files import store
from haitang.support.infrastructure.things.models import Thing
from haitang.support.security.people.models import Organization, Person
from haitang.support.security.people.queries import filling

UNKNOWN_ANSWER = error("cases.unknown_answer", 422, "请检查“{title}”：{why}")
NO_RUN = error("cases.no_run", 500, "案件 {number} 没有流程。请报告平台维护人员。")
TOO_MANY_FILES = error("cases.too_many_files", 409, "一个案件最多 {most} 个附件。请把图片合并成一个文件再上传。")

MOST_FILES = 200
LONGEST_DESCRIPTION = 5000


@dataclass(frozen=True)
class Where:
    """Where a case is: thing, division code, longitude and latitude (degrees, CGCS2000); whatever is known."""

    thing: str | None = None
    division: str = ""
    longitude: float | None = None
    latitude: float | None = None


@action("case.open", title="立案")
def open_case(
    *,
    act: Act,
    kind: str,
    title: str,
    severity: str = "warning",
    description: str = "",
    where: Where = Where(),
    matter: Matter | None = None,
    answers: Mapping[str, Any] | None = None,
    key: str = "",
    source: str = "",
) -> Case:
    """Open a case by hand, or from a matter, and start its procedure; tells those who may make the first move.

    `source`: an id of the kind case_source, without it `alarm` or `platform` for a matter and `centre` for what is opened by hand; it decides whether the
    case is filed at once or waits for that.

    By hand, the form of the case's type is asked: raises forms.bad_answers naming every question. The answers stand in its facts. No two open cases have the same `key`.
    """
    declared = in_force().get(CaseType, kind)
    source = source or ("centre" if matter is None else "alarm" if matter.alarm else "platform")
    _refuse_unknown(severity, where, source, live=matter is None)
    title, description = readable(title, T("事项"), required=True), readable(description, T("情况"), most=LONGEST_DESCRIPTION)
    asked = questions([declared.form]) if declared.form and matter is None else {}
    answered = read_answers(asked, answers or {})
    case = Case(
        case_kind=kind,
        code=declared.code,
        title=title[:200],
        severity=severity if declared.severity == "from the alarm" else declared.severity,
        description=description,
        organization=_addressed(declared, matter),
        source=source,
        opened_at=act.at,
        release=act.release,
        **vars(where),
        **(_of_matter(matter) or {"matter_key": key}),
    )
    _check_references(case, asked, answered)
    if answered:
        case.facts = {**case.facts, "answers": answered}
    return _opened(act, case, declared, answered)


def _opened(act: Act, case: Case, declared: CaseType, answered: Mapping[str, Any]) -> Case:
    """Number the case and start its run: its row is written with what the run's log says of it."""
    case.number = next_number(act)
    said = {"number": case.number, "kind": case.case_kind, "severity": case.severity, "origin": case.origin, "source": case.source}
    act.record("case", str(case.pk), said)
    runs.start_run(
        act=act,
        procedure=declared.procedure,
        subject_kind="case",
        subject_id=str(hold(act, case).pk),
        organization=case.organization_id,
        facts={SEVERITY.name: case.severity, ORIGIN.name: case.origin, CAUSE_CLEARED.name: False, **answer_facts(answered)},
        report=in_force().get(CaseSource, case.source).filing == "decided",
    )
    standing_of_new(case)
    notify.opened(act=act, case=case)
    return case


def _refuse_unknown(severity: str, where: Where, source: str, *, live: bool) -> None:
    if source not in sources():
        raise UNKNOWN_ANSWER(title=translate("案件来源"), why="、".join(sources()))
    if severity not in SEVERITY.choices:
        raise UNKNOWN_ANSWER(title=translate("级别"), why="、".join(SEVERITY.choices))
    if live and where.thing and not Thing.objects.filter(pk=where.thing).exists():
        raise UNKNOWN_ANSWER(title=translate("设备"), why=translate("没有这个设备"))


def _of_matter(matter: Matter | None) -> dict[str, Any]:
    if matter is None:
        return {}
    return {"matter_key": matter.key, "alarm": matter.alarm, "origin": matter.origin, "facts": dict(matter.facts)}


def _addressed(declared: CaseType, matter: Matter | None) -> Organization | None:
    """Whom a case goes to: the organization that its matter names, else the one that fills the role of its type."""
    named = Organization.objects.filter(pk=matter.organization, active=True).first() if matter and matter.organization else None
    return named or (filling(declared.goes_to) if declared.goes_to else None)


def _run(act: Act, case: Case) -> Any:
    if case.run_id is None:
        raise NO_RUN(number=case.number)
    return hold(act, case).run_id


@action("case.move", title="办理案件", resource="case")
def move_case(*, act: Act, case: Case, move: str, answers: Mapping[str, Any] | None = None) -> Case:
    """Make a move with the answers to its questions; raises procedures.refused (every reason) or forms.bad_answers (every question)."""
    state = state_held(locked(_run(act, case), act=act), act=act)
    runs.refuse_unless(decide(state, move, act.actor, act.at, **about(state, act.actor, act)))
    asked = questions_for(state.definition, move)
    clean = read_answers(asked, answers or {})
    _check_references(case, asked, clean)
    runs.make_move(act=act, run=_run(act, case), move=move, answers=clean)
    standing_held(case, act=act)
    return _noted(act, case, {"move": move})


def _check_references(case: Case, asked: Mapping[str, Question], answers: Mapping[str, Any]) -> None:
    """Organizations and people exist, a person belongs to the organization named, photos are attached to this case."""
    for name, value in answers.items():
        title = asked[name].title
        match asked[name].type:
            case "organization":
                if not rows("select 1 from people_organization where id = %s and active", [value]):
                    raise UNKNOWN_ANSWER(title=translate(title), why=translate("没有这个单位"))
            case "person":
                if not _person(value, answers.get("organization") or case.organization_id):
                    raise UNKNOWN_ANSWER(title=translate(title), why=translate("该单位没有这个人员"))
            case "photo":
                if missing := set(value) - set(case.attachments.values_list("digest", flat=True)):
                    raise UNKNOWN_ANSWER(title=translate(title), why=translate("有 {n} 个文件没有上传到本案件", n=len(missing)))


def _person(id: str, organization: str | None) -> bool:
    try:
        return Person.objects.filter(pk=UUID(id), is_active=True, organization_id=organization).exists()
    except ValueError:
        return False


@action("case.pause", title="暂停计时", resource="case")
def pause_case(*, act: Act, case: Case, reason: str, note: str = "") -> Case:
    """Stop the clocks for a declared reason."""
    runs.pause(act=act, run=_run(act, case), reason=reason, note=readable(note, T("说明")))
    return _fresh(act, case, {"reason": reason})


@action("case.resume", title="恢复计时", resource="case")
def resume_case(*, act: Act, case: Case) -> Case:
    """Let the clocks run again."""
    runs.resume(act=act, run=_run(act, case))
    return _fresh(act, case, {})


@action("case.ask_extension", title="申请延期", resource="case")
def ask_case_extension(*, act: Act, case: Case, reason: str, within: str | None = None) -> Case:
    """Ask for more time; those who decide are told."""
    runs.ask_extension(act=act, run=_run(act, case), reason=readable(reason, T("理由"), required=True), within=within)
    case = _fresh(act, case, {})
    notify.extension_asked(act=act, case=case)
    return case


@action("case.decide_extension", title="审批延期", resource="case")
def decide_case_extension(*, act: Act, case: Case, approved: bool, reason: str = "") -> Case:
    """Approve or refuse more time; who has the case is told."""
    runs.decide_extension(act=act, run=_run(act, case), approved=approved, reason=readable(reason, T("理由")))
    case = _fresh(act, case, {"approved": approved})
    notify.extension_decided(act=act, case=case, approved=approved)
    return case


@action("case.remark", title="添加说明", resource="case")
def remark_case(*, act: Act, case: Case, text: str) -> Case:
    """Put a remark on the timeline."""
    runs.remark(act=act, run=_run(act, case), text=readable(text, T("说明"), required=True))
    return _fresh(act, case, {})


@action("case.attach", title="上传附件", resource="case")
def attach(*, act: Act, case: Case, stream: store.Readable, name: str, most: int = store.MOST) -> CaseAttachment:
    """Keep a file and attach it; the same file attached twice is one.

    Raises files.too_large, files.empty or files.not_accepted, or TOO_MANY_FILES.
    """
    if case.attachments.count() >= MOST_FILES:
        raise TOO_MANY_FILES(most=MOST_FILES)
    kept = store.put(stream, most=most)
    attached, _ = CaseAttachment.objects.get_or_create(
        case=case,
        digest=kept.digest,
        defaults={
            "name": _name(name), "media_type": kept.media_type, "size": kept.size,
            "by": act.actor.ref, "by_name": act.actor.name, "at": act.at,
        },
    )  # fmt: skip
    act.record("case", str(case.pk), {"digest": kept.digest, "size": kept.size, "media_type": kept.media_type})
    act.announce("case", {"subject": str(case.pk), "attachment": kept.digest})
    return attached


def _name(given: str) -> str:
    """A file's own name without folders and control characters."""
    last = given.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable())[-200:] or "附件"


def _fresh(act: Act, case: Case, facts: Mapping[str, Any]) -> Case:
    return _noted(act, read_anew(case), facts)


def _noted(act: Act, case: Case, facts: Mapping[str, Any]) -> Case:
    act.record("case", str(case.pk), {"number": case.number, "stage": case.stage, **facts})
    return case


@action("case.clear_cause", title="记录起因解除", resource="case")
def clear_cause(*, act: Act, case: Case, at: datetime) -> Case:
    """Note that what the case was opened for has gone, at `at`; the case stays open."""
    case.cause_cleared_at = at
    case.save(update_fields=["cause_cleared_at"])
    known = {CAUSE_CLEARED.name: True}
    runs.remark(act=act, run=_run(act, case), text="", code="cause_cleared", data={"at": at.isoformat()}, facts=known)
    return _fresh(act, case, {"cause_cleared_at": at.isoformat()})
