"""Reads of walls: who a screen is, and where its session stands."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest

from haitang.base import clock
from haitang.base.actions import Actor, TokenScope
from haitang.base.errors import error
from haitang.support.security.people.devices import Shown, shown
from haitang.support.security.people.models import Session
from haitang.support.security.people.walls.models import Wall

WALL_ONLY = error("people.wall_only", 403, "这块屏幕只显示大屏。办理业务请在自己的设备上登录。")
WALL_ENDED = error("people.wall_ended", 401, "这块屏幕的授权已到期或已撤销。请联系安全管理员。")
NO_WALL = error("people.no_wall", 404, "没有这块屏幕。")

ROLE = "wall_screen"
SCREEN = ("thing.read", "alarm.read", "indicator.read")  # without these the wall shows nothing
CASES = "case.read"
PAGES = ("/wall", "/cockpit/", "/maps/", "/api/session")  # the last is what the front asks for the live feed


def actor_at(request: HttpRequest, id: str) -> Actor:
    """The screen as an actor: a system of its own, with the reads that were granted, at the addresses of the wall only. Raises WALL_ENDED, WALL_ONLY."""
    found = Wall.objects.filter(pk=UUID(id), revoked_at=None, ends_at__gt=clock.now()).first()
    if found is None:
        raise WALL_ENDED()
    if request.method != "GET" or not any(request.path == each or (each.endswith("/") and request.path.startswith(each)) for each in PAGES):
        raise WALL_ONLY()
    return actor_of_wall(found)


def actor_of_wall(wall: Wall) -> Actor:
    return Actor("system", str(wall.pk), wall.title, None, frozenset({ROLE}), TokenScope(f"wall:{wall.pk}", frozenset(wall.scopes)))


@dataclass(frozen=True)
class Screen:
    """A wall for a page: its session where it is on."""

    wall: Wall
    session: Shown | None
    cases: bool
    over: bool


def screens() -> list[Screen]:
    """Every wall, the newest first."""
    now = clock.now()
    sessions = {each.wall: each for each in Session.objects.filter(wall__isnull=False, expire_date__gt=now)}
    return [
        Screen(
            each,
            shown(sessions[each.pk]) if each.pk in sessions else None,
            CASES in each.scopes,
            bool(each.revoked_at) or each.ends_at <= now,
        )
        for each in Wall.objects.order_by("-granted_at")
    ]


def wall_with(id: UUID) -> Wall:
    """Raises NO_WALL."""
    found = Wall.objects.filter(pk=id).first()
    if found is None:
        raise NO_WALL()
    return found
