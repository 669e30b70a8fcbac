"""Writes of gathering: runs, what becomes of quarantined rows, how files are understood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.db.transaction import on_commit

from haitang.base import ports
from haitang.base.actions import Act, action
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError, error
from haitang.base.ports import Matter
from haitang.base.text import T, translate
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.catalogue.queries import provider
from haitang.hub.data.gather import by_file, parts, states
from haitang.hub.data.gather.gathering import facts
from haitang.hub.data.gather.incoming import Incoming, forget
from haitang.hub.data.gather.judge.columns import Headings, digest
from haitang.hub.data.gather.kinds import Source
from haitang.hub.data.gather.models import Held, Run, Understanding
from haitang.hub.data.gather.waiting import enqueue, wake
from haitang.support.security.evidence.facts import Secret
from haitang.support.security.people.queries import filling

NOT_OPEN = error("gather.not_open", 409, "第 {line} 行已经是“{state}”，不能再改。请刷新页面。")
NOTHING_MENDED = error("gather.nothing_mended", 409, "没有已修改、待提交的行。请先修改。")
NO_REASON = error("gather.no_reason", 422, "请写明不予入库的理由。")
ENDED = error("gather.ended", 409, "采集任务已经结束。")

CASE = "quarantined_rows"
KNOWN_ALREADY = T("先前一次采集已隔离同样的行，在那里处理")


@dataclass(frozen=True)
class Sender:
    """Whose data is gathered, for the policy: whoever may gather only for their own organization names it."""

    organization: str


@action("gather.start", title="采集数据", resource="sender")
def start(
    *, act: Act, resource: Resource, file: Incoming, sender: Sender | None = None, source: str = "", load: str | None = None, columns: Headings | None = None,
    layout: Mapping[str, Any] | None = None, organization: str | None = None, synthetic: bool | None = None,
) -> Run:  # fmt: skip
    """Put a file into the queue. What is not given comes from the source, where one is named."""
    declared = in_force().get(Source, source) if source else None
    organization = organization or (sender.organization if sender else "") or _sender(resource, declared)
    run = enqueue(
        resource=resource.id, source=source, organization=organization, file=file.name[:255], path=str(file.path), digest=file.digest,
        load=load or (declared.load if declared else "update"), columns=dict(columns or (declared.columns if declared else {})),
        layout=dict(layout or (declared.layout.model_dump(exclude_defaults=True) if declared else {})),
        synthetic=resource.synthetic or bool(declared and declared.synthetic) if synthetic is None else synthetic,
        total_bytes=file.size, created_at=act.at, created_by=act.actor.ref,
    )  # fmt: skip
    act.record(
        "gather_run",
        str(run.pk),
        {"resource": resource.id, "source": source, "load": run.load, "file": Secret(file.name), "digest": file.digest},
    )
    return run


def _sender(resource: Resource, source: Source | None) -> str:
    found = filling(source.organization) if source and source.organization else provider(resource)
    return found.pk if found else ""


@action("gather.cancel", title="取消采集", resource="run")
def cancel(*, act: Act, run: Run) -> Run:
    """Stop a run. What it has staged already goes into the lake; the rest of the file is not read."""
    run = Run.objects.select_for_update().get(pk=run.pk)
    if run.state not in (Run.State.QUEUED, Run.State.RUNNING):
        raise ENDED()
    return _end(act, run, Run.State.CANCELLED)


@action("gather.fail", title="采集失败")
def fail(*, act: Act, run: Run, reason: Exception) -> Run:
    """End a run that cannot go on; what it accepted before stays accepted."""
    run = Run.objects.select_for_update().get(pk=run.pk)
    run.error = reason.sentence if isinstance(reason, HaitangError) else f"{type(reason).__name__}: {reason}"
    return _end(act, run, Run.State.FAILED)


@action("gather.finish", title="完成采集")
def finish(*, act: Act, run: Run) -> Run:
    """End a run whose parts are all in the lake: its counts are evidence, and its quarantined rows become a work order."""
    run = Run.objects.select_for_update().get(pk=run.pk)
    _end(act, run, Run.State.DONE)
    if run.root_id:
        _settle_submitted(run)
    else:
        _leave_to_earlier(act, run)
        if run.held.filter(state=Held.State.OPEN).exists():
            order(act=act, run=run)
    parts.forget(run.pk)
    return run


def _end(act: Act, run: Run, state: str) -> Run:
    run.state, run.finished_at = state, act.at
    run.save()
    act.record("gather_run", str(run.pk), {"state": str(state), **facts(run)})
    act.announce("gather", {"run": str(run.pk)})
    wake()  # who waits for the run's end
    on_commit(lambda: forget(run))  # rolled back, the run goes on, and needs its file
    return run


def _leave_to_earlier(act: Act, run: Run) -> None:
    """A source that is read over and over brings the same bad row each time: it is mended where it was found first, and makes no second work order."""
    if not run.source:
        return
    same = Held.objects.filter(
        run__source=run.source, run__resource=run.resource, state__in=(Held.State.OPEN, Held.State.MENDED), raw=OuterRef("raw")
    )
    again = run.held.filter(Exists(same.exclude(run=run.pk)), state=Held.State.OPEN)
    again.update(state=Held.State.DISMISSED, note=KNOWN_ALREADY, by=act.actor.ref, at=act.at)


def _settle_submitted(run: Run) -> None:
    """Rows that were resubmitted are in; those that were refused again stand open where they came from, for the new reasons."""
    refused = {held.line: held for held in run.held.filter(state=Held.State.OPEN)}
    for row in run.resubmits.filter(line__in=refused):
        row.state, row.reasons = Held.State.OPEN, refused[row.line].reasons
        row.save(update_fields=["state", "reasons"])
    run.resubmits.filter(state=Held.State.SUBMITTED).update(state=Held.State.ACCEPTED)
    run.held.filter(state=Held.State.OPEN).update(state=Held.State.RETURNED)


@action("gather.order", title="为隔离数据立件")
def order(*, act: Act, run: Run) -> str:
    """Raise the matter of a run's quarantined rows, with the department that it came from."""
    resource = in_force().all(Resource).get(run.resource)
    title = resource.title if resource else run.resource
    open_rows = run.held.filter(state=Held.State.OPEN).count()
    run.matter = ports.matters().raise_matter(
        Matter(
            key=key_of(run), case_kind=CASE, title=f"{title}：{open_rows} 行数据待修正", severity="notice", arose_at=act.at,
            organization=run.organization or None, facts={"run": str(run.pk), "rows": open_rows}, origin="simulated" if run.synthetic else "live",
            description=f"采集任务 /gather/runs/{run.pk} 读到 {run.read} 行，隔离 {run.quarantined} 行。请在隔离区修改后重新提交，或说明理由不予入库。",
        ),
        act=act,
    )  # fmt: skip
    run.save(update_fields=["matter"])
    act.record("gather_run", str(run.pk), {"matter": run.matter, "quarantined": run.quarantined})
    return run.matter


def key_of(run: Run) -> str:
    return f"gather:{run.pk}"


@action("gather.settle", title="办结隔离数据")
def settle(*, act: Act, run: Run) -> None:
    """Every quarantined row of a run has been dealt with: its work order closes by itself."""
    run.settled_at = act.at
    run.save(update_fields=["settled_at"])
    if run.matter:
        ports.matters().note_cleared(key_of(run), at=act.at, act=act)
    by_state = {state: run.held.filter(state=state).count() for state in (Held.State.ACCEPTED, Held.State.DISMISSED)}
    act.record("gather_run", str(run.pk), {"settled": {str(state): count for state, count in by_state.items()}})


@action("gather.mend", title="修改隔离数据", resource="run")
def mend(*, act: Act, run: Run, held: Held, cells: Mapping[str, str]) -> Held:
    """Keep what a person made of a row beside what it was; the evidence says who and when, and only digests of the values."""
    held = _open(held)
    changed = sorted(name for name in {*held.cells, *cells} if (held.cells.get(name) or "") != (cells.get(name) or ""))
    held.mended = {name: value for name, value in cells.items() if value != ""}
    held.state, held.by, held.at = Held.State.MENDED, act.actor.ref, act.at
    held.save(update_fields=["mended", "state", "by", "at"])
    act.record("held_row", str(held.pk), {
        "run": str(run.pk), "line": held.line, "changed": changed, "before": Secret(held.cells), "after": Secret(held.mended), "raw": Secret(held.raw),
    })  # fmt: skip
    return held


@dataclass(frozen=True)
class Mended:
    """What became of the rows of a corrected file. `again`: the run that takes those that may pass."""

    passed: int = 0
    refused: int = 0
    settled: int = 0  # dealt with before: a file that comes twice changes nothing
    unknown: int = 0  # no quarantined row of this run
    again: Run | None = None


@action("gather.mend", title="修改隔离数据", resource="run")
def mend_by_file(*, act: Act, run: Run, rows: Sequence[by_file.Given], digest: str) -> Mended:
    """Put what a corrected file says in place of quarantined rows; those that pass are resubmitted, the others stay open with their new reasons.

    Raises NOT_NUMBERS where no row of the file is one of the run's.
    """
    wanted = dict(rows)
    held = {row.pk: row for row in run.held.select_for_update().filter(pk__in=wanted).order_by("pk")}
    if rows and not held:
        raise by_file.NOT_NUMBERS(column=by_file.NUMBER)
    open = [(row, wanted[row.pk]) for row in held.values() if row.state in (Held.State.OPEN, Held.State.MENDED)]
    refused = by_file.judge(run, open) if open else {}
    for row, cells in open:
        row.mended = {name: value for name, value in cells.items() if value != ""}
        row.state = Held.State.OPEN if row.pk in refused else Held.State.MENDED
        row.reasons = refused.get(row.pk, row.reasons)
        row.by, row.at = act.actor.ref, act.at
    Held.objects.bulk_update([row for row, _ in open], ["mended", "state", "reasons", "by", "at"], batch_size=500)
    passed = len(open) - len(refused)
    act.record("gather_run", str(run.pk), {
        "file": digest, "passed": passed, "refused": len(refused), "settled": len(held) - len(open), "unknown": len(wanted) - len(held),
        "rows": Secret([[row.pk, row.cells, row.mended] for row, _ in open]),
    })  # fmt: skip
    again = resubmit(act=act, run=run) if passed else None
    return Mended(passed, len(refused), len(held) - len(open), len(wanted) - len(held), again)


@action("gather.dismiss", title="隔离数据不予入库", resource="run")
def dismiss(*, act: Act, run: Run, held: Sequence[Held], reason: str) -> None:
    """Say of rows, with a reason, that they will not be accepted."""
    if not reason.strip():
        raise NO_REASON()
    for row in held:
        row = _open(row)
        row.state, row.note, row.by, row.at = Held.State.DISMISSED, reason.strip()[:1000], act.actor.ref, act.at
        row.save(update_fields=["state", "note", "by", "at"])
    act.record("gather_run", str(run.pk), {"dismissed": [row.line for row in held][:1000], "rows": len(held), "reason": Secret(reason)})


def _open(held: Held) -> Held:
    found = Held.objects.select_for_update().get(pk=held.pk)
    if found.state not in (Held.State.OPEN, Held.State.MENDED):
        raise NOT_OPEN(line=found.line, state=translate(found.get_state_display()))
    return found


@action("gather.resubmit", title="重新提交隔离数据", resource="run")
def resubmit(*, act: Act, run: Run) -> Run:
    """Put the mended rows of a run into the queue as a run of their own."""
    rows = run.held.select_for_update().filter(state=Held.State.MENDED)
    ids = [row.pk for row in rows]
    if not ids:
        raise NOTHING_MENDED()
    again = enqueue(
        resource=run.resource, source=run.source, organization=run.organization, file=run.file, root=run, columns=run.columns, synthetic=run.synthetic,
        load="update", created_at=act.at, created_by=act.actor.ref,
    )  # fmt: skip
    Held.objects.filter(pk__in=ids).update(state=Held.State.SUBMITTED, submitted_in=again)
    act.record("gather_run", str(again.pk), {"resubmits": str(run.pk), "rows": len(ids)})
    return again


@action("gather.understand", title="记住列的对应关系", resource="sender")
def understand(*, act: Act, resource: Resource, headings: Sequence[str], columns: Headings, sender: Sender | None = None) -> Understanding:
    """Remember how files with these headings are understood."""
    given = {
        "columns": {name: heading if isinstance(heading, str) else list(heading) for name, heading in columns.items()},
        "by": act.actor.ref,
        "at": act.at,
    }
    found, _ = Understanding.objects.update_or_create(resource=resource.id, headings=digest(headings), defaults=given)
    act.record("resource", resource.id, {"understanding": found.headings, "fields": sorted(columns)})
    return found


def unsettled() -> Q:
    """Runs with quarantined rows that somebody must still deal with, or that nobody has noted as settled."""
    return Q(quarantined__gt=0, settled_at__isnull=True, state__in=states.ENDED)
