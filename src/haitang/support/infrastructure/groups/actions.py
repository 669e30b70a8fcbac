"""Writes about groups of things: who is in them, and what is done to all of them at once."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from haitang.base.actions import Act, action
from haitang.base.errors import error
from haitang.support.infrastructure.credentials.actions import Issued, rotate
from haitang.support.infrastructure.credentials.models import DeviceCredential
from haitang.support.infrastructure.credentials.queries import current
from haitang.support.infrastructure.things.actions import check_window
from haitang.support.infrastructure.things.kinds import ThingGroup as Declared
from haitang.support.infrastructure.things.models import MaintenanceWindow, Membership, Thing, ThingGroup
from haitang.support.security.evidence.facts import Secret
from haitang.support.security.people.models import Organization

NO_SUCH_GROUP = error("groups.no_such_group", 404, "没有设备分组“{id}”。")
BAD_ID = error("groups.bad_id", 400, "分组编号“{id}”不可用：用小写字母、数字和下划线，以字母开头，最多 64 个字符。")
ID_TAKEN = error("groups.id_taken", 409, "分组编号“{id}”已被使用。")
NO_TITLE = error("groups.no_title", 400, "请填写分组名称。")
NO_SUCH_ORGANIZATION = error("groups.no_such_organization", 400, "没有单位“{id}”，请从列表中选择。")
NO_SUCH_THINGS = error("groups.no_such_things", 400, "没有这些设备：{ids}。")
EMPTY = error("groups.empty", 409, "分组“{title}”里没有在用的设备。")
NO_REASON = error("groups.no_reason", 400, "请写明划转事由。")
WINDOW_OVER = error("groups.window_over", 409, "分组“{title}”没有正在进行或计划中的维护，请刷新页面。")


def members(group: ThingGroup) -> list[Thing]:
    """The things of a group that are not retired."""
    inside = Thing.objects.filter(memberships__group=group, memberships__until=None)
    return list(inside.exclude(status=Thing.RETIRED).order_by("id"))


@action("things.seed_group", title="登记设备分组")
def seed_group(*, act: Act, id: str, declared: Declared | None, things: Sequence[str]) -> int:
    """Make a declared group where it is missing and put things in that were never in it; gives how many rows were made."""
    made = 0
    if declared is not None:
        told = {"title": declared.title, "note": declared.note, "organization_id": declared.organization or ""}
        _, new = ThingGroup.objects.get_or_create(pk=id, defaults=told)
        made += int(new)
    rows = [Membership(group_id=id, thing_id=thing, since=act.at) for thing in things]
    Membership.objects.bulk_create(rows)
    act.record("thing_group", id, {"added": list(things)})
    return made + len(rows)


@action("things.save_group", title="编辑设备分组")
def save_group(*, act: Act, id: str, title: str, note: str = "", organization: str = "", new: bool = False) -> ThingGroup:
    """Make a group, or change its title, note and organization."""
    if not title:
        raise NO_TITLE()
    if organization and not Organization.objects.filter(pk=organization).exists():
        raise NO_SUCH_ORGANIZATION(id=organization)
    found = ThingGroup.objects.filter(pk=id).first()
    if new and found:
        raise ID_TAKEN(id=id)
    if found is None:
        if not new:
            raise NO_SUCH_GROUP(id=id)
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", id):
            raise BAD_ID(id=id)
        found = ThingGroup(pk=id)
    found.title, found.note, found.organization_id = title, note, organization
    found.save()
    act.record("thing_group", id, {"title": title, "organization": organization, "new": new})
    return found


@action("things.remove_group", title="删除设备分组", resource="group")
def remove_group(*, act: Act, group: ThingGroup) -> None:
    """The group alone: its things stay, and so do the windows that were noted for it."""
    inside = [thing.id for thing in members(group)]
    act.record("thing_group", group.pk, {"title": group.title, "things": inside})
    group.delete()


@action("things.set_group_members", title="调整分组成员", resource="group")
def set_members(*, act: Act, group: ThingGroup, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
    """Put things in and take things out; who is in (or out) already stays so."""
    known = set(Thing.objects.filter(pk__in=list(add)).values_list("pk", flat=True))
    if missing := [id for id in add if id not in known]:
        raise NO_SUCH_THINGS(ids="、".join(missing[:10]))
    inside = set(group.memberships.filter(until=None).values_list("thing_id", flat=True))
    added, removed = [id for id in dict.fromkeys(add) if id not in inside], sorted(inside & set(remove))
    Membership.objects.bulk_create([Membership(group=group, thing_id=id, since=act.at) for id in added])
    Membership.objects.filter(group=group, until=None, thing_id__in=removed).update(until=act.at)
    act.record("thing_group", group.pk, {"added": added, "removed": removed})
    _announce(act, [*added, *removed])


@action("things.plan_group_maintenance", title="登记分组维护", resource="group")
def plan_maintenance(*, act: Act, group: ThingGroup, starts_at: datetime, ends_at: datetime, reason: str) -> int:
    """Note maintenance for every thing that is in the group now; gives how many. Raises what a single thing's window is refused for, and EMPTY."""
    check_window(act, starts_at=starts_at, ends_at=ends_at, reason=reason)
    things = _inside(group)
    window = {"starts_at": starts_at, "ends_at": ends_at, "reason": reason, "noted_by": act.actor.ref, "group": group.pk}
    MaintenanceWindow.objects.bulk_create([MaintenanceWindow(thing=thing, **window) for thing in things])
    act.record("thing_group", group.pk, {
        "starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat(), "reason": Secret(reason), "things": [t.id for t in things],
    })  # fmt: skip
    _announce(act, [t.id for t in things])
    return len(things)


@action("things.end_group_maintenance", title="结束分组维护", resource="group")
def end_maintenance(*, act: Act, group: ThingGroup) -> int:
    """End every window of the group that runs, and cancel every one that is planned."""
    open_ = MaintenanceWindow.objects.filter(group=group.pk, ended_at=None, ends_at__gt=act.at)
    things = sorted(set(open_.values_list("thing_id", flat=True)))
    if not things:
        raise WINDOW_OVER(title=group.title)
    open_.update(ended_at=act.at)
    act.record("thing_group", group.pk, {"things": things})
    _announce(act, things)
    return len(things)


@action("things.rotate_group_credentials", title="轮换分组设备凭据", resource="group")
def rotate_credentials(*, act: Act, group: ThingGroup, until: datetime | None = None) -> list[Issued]:
    """A new secret for every credential in force of the group's things: each old one holds until its successor is first used, or until `until`."""
    things = [thing.pk for thing in _inside(group)]
    replaced = DeviceCredential.objects.filter(replaces__thing_id__in=things, ended_at=None).values("replaces")
    held = current().filter(thing_id__in=things).exclude(pk__in=replaced).select_related("thing").order_by("thing_id", "pk")
    made = [rotate(act=act, credential=each, until=until) for each in held]
    act.record("thing_group", group.pk, {"credentials": [each.credential.identifier for each in made]})
    return made


@action("things.reassign_group", title="划转分组设备", resource="group")
def reassign(*, act: Act, group: ThingGroup, organization: str, reason: str) -> int:
    """Give every thing of the group to another organization, which is responsible from now on; what happened before stays whose it was."""
    if not reason:
        raise NO_REASON()
    if not Organization.objects.filter(pk=organization).exists():
        raise NO_SUCH_ORGANIZATION(id=organization)
    things = _inside(group)
    before: Mapping[str, str] = {thing.id: thing.organization_id for thing in things if thing.organization_id != organization}
    Thing.objects.filter(pk__in=list(before)).update(organization_id=organization)
    act.record("thing_group", group.pk, {"organization": organization, "before": before, "reason": Secret(reason)})
    _announce(act, list(before))
    return len(before)


def _inside(group: ThingGroup) -> list[Thing]:
    found = members(group)
    if not found:
        raise EMPTY(title=group.title)
    return found


def _announce(act: Act, things: Sequence[str]) -> None:
    """Open pages look again; NOTIFY carries at most 8,000 bytes."""
    act.announce("twin", {"things": list(things)[:100]})
