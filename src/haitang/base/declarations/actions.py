"""Writes about declarations: a release comes in force, a tunable key is edited by two people."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from haitang.base import ports
from haitang.base.actions import Act, action, permission, require
from haitang.base.declarations.changes import changes, objections
from haitang.base.declarations.consent import guarded, guarded_changes, needs_consent
from haitang.base.declarations.content import content_of, digest_of
from haitang.base.declarations.loader import Loaded, load_folders
from haitang.base.declarations.models import Admission, Edit, Proposal, Release
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
NEEDS_CONSENT = error(
    "declarations.needs_consent",
    409,
    "这个版本改变角色、授权规则或登录策略，须经安全管理员批准。请用 haitang apply 提交，由其在“权限变更”页面办理。",
)
NOT_TAKEN_BACK = error(
    "declarations.not_taken_back", 409, "“{name}”的调整经安全管理员批准，不能单独撤回。请按原值另提一项调整，同样由两方批准。"
)
ALREADY_DECIDED = error("declarations.already_decided", 409, "这项调整已经是“{status}”，不能再办理。")

READ = permission("declarations.read", "查看声明与版本")
DECIDE = "declarations.decide"


@action("declarations.admit", title="使声明版本生效")
def admit_release(*, act: Act, owners: Sequence[Owner], permissions: Mapping[str, str] | None = None) -> Admission:
    """Check what the folders declare, with the approved edits on top, keep it as a release and put it in force."""
    loaded, before = _admissible(owners, permissions)
    if needs_consent(before, loaded):
        raise NEEDS_CONSENT()
    release = _kept(act, loaded)
    told = [str(change) for change in changes(before, loaded)]
    facts = {"replaces": _digest_now() or None, "changes": len(told), "of_permissions": len(guarded_changes(before, loaded))}
    evidence = act.record("release", release.digest, facts)
    return Admission.objects.create(release=release, admitted_at=act.at, by=act.actor.ref, evidence=evidence, changes=told)


@action("declarations.admit", title="使声明版本生效")
def propose_release(*, act: Act, owners: Sequence[Owner], permissions: Mapping[str, str] | None = None) -> Proposal:
    """Check and keep what the folders declare, and ask the security administrator: for a release that changes who may do what.

    A proposal that waited before is superseded; the same one asked for again stays as it is.
    """
    loaded, before = _admissible(owners, permissions)
    release, now = _kept(act, loaded), _digest_now()
    waiting = Proposal.objects.select_for_update().filter(status=Proposal.Status.PROPOSED)
    found = waiting.filter(release=release, replaces=now).first()
    others = waiting.exclude(pk=found.pk) if found else waiting
    others.update(status=Proposal.Status.SUPERSEDED)
    found = found or Proposal.objects.create(
        release=release,
        replaces=now,
        changes=[str(change) for change in changes(before, loaded)],
        permissions=ports.second_key().tell(before, loaded),
        proposed_by=act.actor.ref,
        proposed_at=act.at,
    )
    act.record("release", release.digest, {"replaces": now, "changes": len(found.changes), "proposal": str(found.id)})
    return found


def _digest_now() -> str:
    now = current_admission()
    return now.release_id if now else ""


def _admissible(owners: Sequence[Owner], permissions: Mapping[str, str] | None) -> tuple[Loaded, Loaded | None]:
    """What the folders declare, once nothing refuses it, and what is in force."""
    loaded = load_folders(owners, permissions=permissions)
    digest = digest_of(content_of(loaded.owners))
    now = current_admission()
    if now is not None and now.release_id == digest:
        raise ALREADY_IN_FORCE(digest=digest[:12])
    _refuse_errors(loaded)
    _refuse_errors(load_folders(owners, tunings=tunings_of(approved_edits())))
    before = load_release(now.release) if now else None
    refuse_objections(before, loaded)
    return loaded, before


def refuse_objections(before: Loaded | None, loaded: Loaded) -> None:
    """Raise RELEASE_REFUSED where a room refuses the release."""
    _refuse([str(problem) for problem in objections(before.partial if before else None, loaded) if problem.severity == "error"])


def _kept(act: Act, loaded: Loaded) -> Release:
    release, _ = Release.objects.get_or_create(
        digest=digest_of(content_of(loaded.owners)),
        defaults={
            "content": content_of(loaded.owners),
            "folders": {f"{owner.where}:{owner.name}": str(owner.folder) for owner in loaded.owners},
            "created_at": act.at,
            "created_by": act.actor.ref,
        },
    )
    return release


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
    """Approve or reject; never by the person who proposed it. An approved edit is in force from its date.

    Where the edit changes who may do what, or how people sign in, it stays proposed until the security administrator consents too.
    """
    edit = _open(edit, Edit.Status.PROPOSED)
    if edit.proposed_by in act.actor.refs:
        raise OWN_EDIT()
    if approve:
        _checked(edit.kind, edit.declaration, edit.key, edit.new)
    if approve and guarded(edit.kind):
        return _decided(act, edit, Edit.Status.PROPOSED, note)
    return _decided(act, edit, Edit.Status.APPROVED if approve else Edit.Status.REJECTED, note)


@action("declarations.withdraw", title="撤回调整")
def withdraw_edit(*, act: Act, edit: Edit, note: str = "") -> Edit:
    """Take back a proposed edit (whoever proposed it, or decides), or an approved one; then the value below it holds again at once.

    To take back an approved edit changes what is in force, so it needs who decides, and never the one who proposed it.
    """
    found = _open(edit, Edit.Status.PROPOSED, Edit.Status.APPROVED)
    if found.status == Edit.Status.APPROVED and guarded(found.kind):
        raise NOT_TAKEN_BACK(name=f"{found.kind} {found.declaration}")
    if found.status == Edit.Status.APPROVED and found.proposed_by == act.actor.ref:
        raise OWN_EDIT()
    if found.status == Edit.Status.APPROVED or found.proposed_by != act.actor.ref:
        require(act, DECIDE)
    return _decided(act, found, Edit.Status.WITHDRAWN, note)


def consent_to_edit(act: Act, edit: Edit) -> Edit:
    """The second approval of an edit that somebody else approved, checked again as things stand. For `policy.actions` alone."""
    edit = _open(edit, Edit.Status.PROPOSED)
    _checked(edit.kind, edit.declaration, edit.key, edit.new)
    edit.status, edit.consent_by, edit.consent_at = Edit.Status.APPROVED, act.actor.ref, act.at
    edit.save(update_fields=["status", "consent_by", "consent_at"])
    act.record("edit", str(edit.id), _facts(edit) | {"status": str(edit.status), "approved_by": edit.decided_by})
    return edit


def refuse_edit(act: Act, edit: Edit, note: str) -> Edit:
    """The security administrator does not consent. For `policy.actions` alone."""
    return _decided(act, _open(edit, Edit.Status.PROPOSED), Edit.Status.REJECTED, note)


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
