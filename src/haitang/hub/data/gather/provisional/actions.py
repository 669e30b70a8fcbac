"""Writes: a resource proposed from a file comes in force provisionally, is adopted by a second person, or is taken away with its data."""

from collections.abc import Mapping
from typing import Any

from haitang.base.actions import Act, action
from haitang.base.declarations import Declarations, in_force
from haitang.base.declarations.loader import load_folders
from haitang.base.declarations.models import Provisional
from haitang.base.declarations.release import owner_of
from haitang.base.errors import error
from haitang.base.text import translate
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather import actions as gather
from haitang.hub.data.gather import parts
from haitang.hub.data.gather.incoming import Incoming
from haitang.hub.data.gather.models import Held, Part, Run, Understanding
from haitang.hub.data.gather.waiting import enqueue

TAKEN = error("gather.id_taken", 409, "已有数据资源“{id}”。请换一个编号，或直接采集到这个资源。")
REFUSED = error("gather.proposal_refused", 422, "声明还不能用：{problems}")
OWN = error("gather.own_proposal", 403, "提议的人不能自己采纳。请由另一位有权限的人办理。")
DECIDED = error("gather.already_decided", 409, "这个暂定资源已经是“{status}”，不能再办理。")
RESHAPED = error(
    "gather.reshaped",
    409,
    "采纳时不能增减字段，也不能改字段的类型和主键（{fields}），因为数据已按原样入湖。请先撤去，再按改好的声明重新采集。",
)
STILL_GATHERING = error("gather.still_gathering", 409, "还有采集任务没有结束。请等它结束后再采纳。")
ALLOWED = ("resources", "code_tables")
WORKING = (Run.State.QUEUED, Run.State.RUNNING, Run.State.LANDING)


def checked(id: str, files: Mapping[str, str], *, status: str = Provisional.Status.PROVISIONAL) -> Declarations:
    """What would be in force with these files, once they pass what `haitang check` asks; raises REFUSED."""
    strange = [name for name in files if name.split("/")[0] not in ALLOWED or f"resources/{id}.yaml" not in files]
    if strange:
        raise REFUSED(problems="、".join(strange))
    owner = owner_of(Provisional(declaration=id, files=dict(files), status=status))
    others = [each for each in in_force().owners if each.name != owner.name]
    loaded = load_folders([*others, owner])
    ours = [problem for problem in loaded.errors if problem.file and problem.file.is_relative_to(owner.folder)]
    if ours:
        raise REFUSED(problems="；".join(str(problem) for problem in ours[:5]))
    return loaded.partial


@action("gather.infer", title="按文件暂定数据资源", resource="sender")
def put_provisionally(
    *, act: Act, id: str, title: str, files: Mapping[str, str], about: Mapping[str, Any], sender: gather.Sender
) -> tuple[Provisional, Resource]:
    """Declarations proposed from a file come in force, labelled; raises TAKEN, REFUSED."""
    if id in in_force().all(Resource) or Provisional.objects.filter(declaration=id).exclude(status=Provisional.Status.DISCARDED).exists():
        raise TAKEN(id=id)
    declared = checked(id, files).get(Resource, id)
    made = Provisional.objects.create(
        declaration=id, title=title[:200], files=dict(files), about=dict(about), organization=sender.organization, proposed_by=act.actor.ref,
        proposed_at=act.at,
    )  # fmt: skip
    levels = sorted({field.classified for field in declared.fields.values()})
    act.record("provisional", str(made.pk), {"resource": id, "fields": sorted(declared.fields), "key": declared.key, "levels": levels})
    return made, declared


def gather_provisionally(
    *, act: Act, id: str, title: str, files: Mapping[str, str], about: Mapping[str, Any], columns: Mapping[str, Any], file: Incoming,
    sender: gather.Sender, synthetic: bool = False,
) -> tuple[Provisional, Run]:  # fmt: skip
    """Put the proposal in force and the file that it was made from into the queue, in one transaction."""
    made, declared = put_provisionally(act=act, id=id, title=title, files=files, about=about, sender=sender)
    known = {name: heading for name, heading in columns.items() if name in declared.fields}
    run = gather.start(
        act=act, resource=declared, file=file, columns=known, sender=sender, organization=sender.organization, synthetic=synthetic
    )  # fmt: skip
    return made, run


@action("gather.adopt", title="采纳暂定数据资源", resource="provisional")
def adopt(*, act: Act, provisional: Provisional, files: Mapping[str, str] | None = None, note: str = "") -> Provisional:
    """Somebody other than who proposed it takes responsibility: the label goes. `files`: the declarations as that person mended them."""
    found = _open(provisional)
    if found.proposed_by in act.actor.refs:
        raise OWN()
    if Run.objects.filter(resource=found.declaration, state__in=WORKING).exists():
        raise STILL_GATHERING()
    wanted = {name: (files or {}).get(name, text) for name, text in found.files.items()}
    before = checked(found.declaration, found.files).get(Resource, found.declaration)
    after = checked(found.declaration, wanted, status=Provisional.Status.ADOPTED).get(Resource, found.declaration)
    _same_shape(before, after)
    found.files, found.status, found.title = wanted, Provisional.Status.ADOPTED, after.title[:200]
    _decided(act, found, note)
    changed = sorted(name for name in wanted if wanted[name] != provisional.files[name])
    act.record("provisional", str(found.pk), {"resource": found.declaration, "status": "adopted", "changed": changed})
    return found


def _same_shape(before: Resource, after: Resource) -> None:
    shapes = [{name: (field.type, field.digits) for name, field in each.fields.items()} for each in (before, after)]
    differ = sorted(name for name in {*shapes[0], *shapes[1]} if shapes[0].get(name) != shapes[1].get(name))
    if differ or before.key != after.key:
        raise RESHAPED(fields="、".join(differ or after.key))


@action("gather.discard", title="撤去暂定数据资源", resource="provisional")
def discard(*, act: Act, provisional: Provisional, note: str = "") -> Run:
    """Take the resource away with everything gathered into it: the writer drops its rows, its quarantined rows go now. Evidence says what went."""
    found = _open(provisional)
    runs = Run.objects.filter(resource=found.declaration)
    for run in runs.filter(state__in=(Run.State.QUEUED, Run.State.RUNNING)):
        gather.cancel(act=act, run=run)
    held, _ = Held.objects.filter(run__in=runs).delete()
    Understanding.objects.filter(resource=found.declaration).delete()
    for run in runs.filter(state=Run.State.CANCELLED):
        Part.objects.filter(run=run, landed=False).delete()
        parts.forget(run.pk)
    found.status = Provisional.Status.LEAVING
    _decided(act, found, note)
    last = enqueue(
        resource=found.declaration, organization=found.organization, state=Run.State.LANDING, load="discard", parts=1, created_at=act.at,
        created_by=act.actor.ref,
    )  # fmt: skip
    Part.objects.create(run=last, number=1, kind="discard")
    act.record("provisional", str(found.pk), {"resource": found.declaration, "status": "leaving", "held": held, "run": str(last.pk)})
    return last


@action("gather.gone", title="暂定数据资源已撤去")
def gone(*, act: Act, run: Run) -> None:
    """The writer has taken the rows out of the lake: the declaration goes too."""
    for found in Provisional.objects.select_for_update().filter(declaration=run.resource, status=Provisional.Status.LEAVING):
        found.status = Provisional.Status.DISCARDED
        found.save(update_fields=["status"])
    act.record("gather_run", str(run.pk), {"resource": run.resource, "status": "discarded", "rows": run.removed})


def _open(provisional: Provisional) -> Provisional:
    found = Provisional.objects.select_for_update().get(pk=provisional.pk)
    if found.status != Provisional.Status.PROVISIONAL:
        raise DECIDED(status=translate(found.get_status_display()))
    return found


def _decided(act: Act, found: Provisional, note: str) -> None:
    found.decided_by, found.decided_at, found.note = act.actor.ref, act.at, note.strip()[:1000]
    found.save()
