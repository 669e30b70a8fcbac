"""Writes about declarations: a release comes in force, a tunable key is edited by two people."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from haitang.base.actions import Act, action, permission, require
from haitang.base.declarations.changes import changes, objections
from haitang.base.declarations.content import content_of, digest_of
from haitang.base.declarations.loader import Loaded, load_folders
from haitang.base.declarations.models import Admission, Edit, Release
from haitang.base.declarations.overrides import is_tunable, key_path, value_at
from haitang.base.declarations.owners import Owner
from haitang.base.declarations.release import approved_edits, current_admission, edits_in_force, load_release, tuning, tunings_of
from haitang.base.declarations.walk import tunable_paths
from haitang.base.errors import error

RELEASE_REFUSED = error("declarations.release_refused", 409, "这个版本不能生效：{problems}")
ALREADY_IN_FORCE = error("declarations.already_in_force", 409, "版本 {digest} 已经生效，没有要换的内容。")
NOT_EDITABLE = error("declarations.not_editable", 400, "“{name}”的“{key}”不能在页面上调整。可以调整的有：{keys}")
EDIT_REFUSED = error("declarations.edit_refused", 400, "“{key}”不能改成“{value}”：{problems}")
NO_REASON = error("declarations.no_reason", 400, "请写明调整的理由。")
OWN_EDIT = error("declarations.own_edit", 403, "提出调整的人不能自己批准。请由另一位有权限的人办理。")
ALREADY_DECIDED = error("declarations.already_decided", 409, "这项调整已经是“{status}”，不能再办理。")

READ = permission("declarations.read", "查看声明与版本")
DECIDE = "declarations.decide"


@action("declarations.admit", title="使声明版本生效")
def admit_release(*, act: Act, owners: Sequence[Owner], permissions: Mapping[str, str] | None = None) -> Admission:
    """Check what the folders declare, with the approved edits on top, keep it as a release and put it in force."""
    loaded = load_folders(owners, permissions=permissions)
    digest = digest_of(content_of(loaded.owners))
    now = current_admission()
    if now is not None and now.release_id == digest:
        raise ALREADY_IN_FORCE(digest=digest[:12])
    _refuse_errors(loaded)
    _refuse_errors(load_folders(owners, tunings=tunings_of(approved_edits())))
    before = load_release(now.release) if now else None
    _refuse([str(problem) for problem in objections(before.partial if before else None, loaded) if problem.severity == "error"])
    told = [str(change) for change in changes(before, loaded)]
    release, _ = Release.objects.get_or_create(
        digest=digest,
        defaults={
            "content": content_of(loaded.owners),
            "folders": {f"{owner.where}:{owner.name}": str(owner.folder) for owner in loaded.owners},
            "created_at": act.at,
            "created_by": act.actor.ref,
        },
    )
    evidence = act.record("release", digest, {"replaces": now.release_id if now else None, "changes": len(told)})
    return Admission.objects.create(release=release, admitted_at=act.at, by=act.actor.ref, evidence=evidence, changes=told)


def _refuse_errors(loaded: Loaded) -> None:
    _refuse([str(problem) for problem in loaded.errors])


def _refuse(problems: list[str]) -> None:
    if problems:
        more = f"；另有 {len(problems) - 20} 处" if len(problems) > 20 else ""
        raise RELEASE_REFUSED(problems="；".join(problems[:20]) + more)


@action("declarations.propose", title="提出调整")
def propose_edit(*, act: Act, kind: str, id: str, key: str, value: Any, effective: date, reason: str) -> Edit:
    """Propose another value for a tunable key, from a date. It is checked at once by the model that checks files."""
    if not reason.strip():
        raise NO_REASON()
    loaded = _checked(kind, id, key, value)
    old = value_at(loaded.raws[(kind, id)].data, key_path(key))
    edit = Edit.objects.create(
        kind=kind,
        declaration=id,
        key=key,
        old=old,
        new=value,
        effective=effective,
        reason=reason.strip(),
        proposed_by=act.actor.ref,
        proposed_at=act.at,
    )
    act.record("edit", str(edit.id), _facts(edit))
    return edit


@action(DECIDE, title="审批调整")
def decide_edit(*, act: Act, edit: Edit, approve: bool, note: str = "") -> Edit:
    """Approve or reject; never by the person who proposed it. An approved edit is in force from its date."""
    edit = _open(edit, Edit.Status.PROPOSED)
    if edit.proposed_by == act.actor.ref:
        raise OWN_EDIT()
    if approve:
        _checked(edit.kind, edit.declaration, edit.key, edit.new)
    return _decided(act, edit, Edit.Status.APPROVED if approve else Edit.Status.REJECTED, note)


@action("declarations.withdraw", title="撤回调整")
def withdraw_edit(*, act: Act, edit: Edit, note: str = "") -> Edit:
    """Take back a proposed edit (whoever proposed it, or decides), or an approved one; then the value below it holds again at once.

    To take back an approved edit changes what is in force, so it needs who decides, and never the one who proposed it.
    """
    found = _open(edit, Edit.Status.PROPOSED, Edit.Status.APPROVED)
    if found.status == Edit.Status.APPROVED and found.proposed_by == act.actor.ref:
        raise OWN_EDIT()
    if found.status == Edit.Status.APPROVED or found.proposed_by != act.actor.ref:
        require(act, DECIDE)
    return _decided(act, found, Edit.Status.WITHDRAWN, note)


def _open(edit: Edit, *wanted: Edit.Status) -> Edit:
    """The edit, locked, when it still stands where it must."""
    found = Edit.objects.select_for_update().get(pk=edit.pk)
    if found.status not in wanted:
        raise ALREADY_DECIDED(status=found.get_status_display())
    return found


def _decided(act: Act, edit: Edit, status: Edit.Status, note: str) -> Edit:
    edit.status, edit.decided_by, edit.decided_at, edit.note = status, act.actor.ref, act.at, note.strip()
    edit.save(update_fields=["status", "decided_by", "decided_at", "note"])
    act.record("edit", str(edit.id), _facts(edit) | {"status": str(status)})
    return edit


def _facts(edit: Edit) -> dict[str, Any]:
    return {
        "declaration": f"{edit.kind} {edit.declaration}",
        "key": edit.key,
        "old": edit.old,
        "new": edit.new,
        "effective": edit.effective.isoformat(),
    }


def _checked(kind: str, id: str, key: str, value: Any) -> Loaded:
    """What is in force now, once it is sure that it would load with this edit on top."""
    now = current_admission()
    loaded = load_release(now.release, edits_in_force()) if now else load_folders([])
    raw = loaded.raws.get((kind, id))
    if raw is None or not is_tunable(raw.kind, key_path(key)):
        keys = "、".join(pattern for pattern, _ in tunable_paths(raw.kind.model)) if raw else "（没有这项声明）"
        raise NOT_EDITABLE(name=f"{kind} {id}", key=key, keys=keys)
    edited = load_folders(loaded.owners, tunings=[*tunings_of(approved_edits()), tuning(kind, id, key, value, "edit")])
    if edited.errors:
        raise EDIT_REFUSED(key=key, value=value, problems="；".join(problem.sentence() for problem in edited.errors[:5]))
    return loaded
