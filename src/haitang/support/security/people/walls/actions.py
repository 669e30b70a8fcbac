"""Writes about walls: grant, open, revoke."""

from datetime import timedelta

from haitang.base.actions import Act, action
from haitang.base.durations import parse_span
from haitang.base.errors import error
from haitang.support.security.cryptography.small_secrets import keyed_digest
from haitang.support.security.people.ending import end_sessions_of_wall
from haitang.support.security.people.models import STAFF
from haitang.support.security.people.passwords import one_time_secret
from haitang.support.security.people.sign_in_policy import policy_for
from haitang.support.security.people.walls.models import Wall
from haitang.support.security.people.walls.queries import CASES, SCREEN

NO_WALL_TITLE = error("people.no_wall_title", 400, "请填写屏幕的名称，例如“指挥大厅主屏”。")
WALL_TOO_LONG = error("people.wall_too_long", 400, "有效期须为 1 至 {days} 天。")
WALL_OVER = error("people.wall_over", 409, "这块屏幕的授权已到期或已撤销，请重新授权。")

OPENS = timedelta(hours=1)
_PURPOSE = "wall"


def longest() -> timedelta:
    """The longest that a wall may stay on, by the sign-in policy of staff."""
    found: timedelta = parse_span(policy_for(STAFF).wall)
    return found


@action("people.grant_wall", title="授权大屏", fresh=True)
def grant_wall(*, act: Act, title: str, lasts: timedelta, cases: bool) -> tuple[Wall, str]:
    """A screen that shows the wall, with or without cases, for so long; and the code that opens it, shown once. Raises NO_WALL_TITLE, WALL_TOO_LONG."""
    if not title.strip():
        raise NO_WALL_TITLE()
    if not timedelta() < lasts <= longest():
        raise WALL_TOO_LONG(days=longest().days)
    code = one_time_secret()
    made = Wall.objects.create(
        title=title.strip()[:100], scopes=[*SCREEN, *([CASES] if cases else [])], digest=_digest(code), opens_before=act.at + OPENS,
        granted_by=act.actor.ref, granted_at=act.at, ends_at=act.at + lasts,
    )  # fmt: skip
    act.record("wall", str(made.pk), {"title": made.title, "scopes": made.scopes, "ends": made.ends_at})
    return made, code


@action("people.grant_wall", title="授权大屏", fresh=True)
def new_code(*, act: Act, wall: Wall) -> str:
    """Another code, for a screen that was replaced: opening it ends the session of before. Raises WALL_OVER."""
    if wall.revoked_at is not None or wall.ends_at <= act.at:
        raise WALL_OVER()
    code = one_time_secret()
    wall.digest, wall.opens_before = _digest(code), act.at + OPENS
    wall.save(update_fields=["digest", "opens_before"])
    act.record("wall", str(wall.pk), {"code": "new"})
    return code


@action("people.open_wall", title="打开大屏")
def open_wall(*, act: Act, code: str) -> Wall | None:
    """The wall that a code opens, once; None for any other code. A session that it had before ends."""
    found = (
        Wall.objects.select_for_update().filter(digest=_digest(code), opens_before__gt=act.at, ends_at__gt=act.at, revoked_at=None).first()
    )
    if found is None:
        act.record("wall", "unknown", {"opened": False})
        return None
    found.digest, found.opened_at = None, act.at
    found.save(update_fields=["digest", "opened_at"])
    ended = end_sessions_of_wall(act, found.pk)
    act.record("wall", str(found.pk), {"opened": True, "sessions_ended": ended})
    return found


@action("people.revoke_wall", title="撤销大屏授权")
def revoke_wall(*, act: Act, wall: Wall) -> None:
    """The screen goes dark at once."""
    wall.revoked_at, wall.digest = wall.revoked_at or act.at, None
    wall.save(update_fields=["revoked_at", "digest"])
    act.record("wall", str(wall.pk), {"sessions_ended": end_sessions_of_wall(act, wall.pk)})


def _digest(code: str) -> str:
    return keyed_digest("".join(code.split()).lower(), _PURPOSE)
