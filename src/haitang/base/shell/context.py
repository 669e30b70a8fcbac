"""What every page knows: the reader, the place, the navigation. Higher rooms say what they know through `identifies` and `provides`."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from haitang.base.actions import Actor
from haitang.base.errors import HaitangError, error
from haitang.base.settings import settings
from haitang.base.shell.navigation import navigation
from haitang.base.text import active_language

SIGN_IN = error("shell.sign_in", 401, "请先登录。")

_identify: Callable[[HttpRequest], Actor | None] | None = None
_ask_for_proof: Callable[[HttpRequest, HaitangError], HttpResponse] | None = None
_provided: dict[str, Callable[[HttpRequest], Any]] = {}


def identifies(function: Callable[[HttpRequest], Actor | None]) -> None:
    """Say who the reader of a request is (None: nobody signed in)."""
    global _identify
    _identify = function


def asks_for_proof(function: Callable[[HttpRequest, HaitangError], HttpResponse]) -> None:
    """Say how a page asks its reader to prove once more who they are (`@action(fresh=True)`), and then goes on."""
    global _ask_for_proof
    _ask_for_proof = function


def proof_page(request: HttpRequest, found: HaitangError) -> HttpResponse | None:
    """The page that asks, where a room serves it."""
    return _ask_for_proof(request, found) if _ask_for_proof else None


def provides(name: str, function: Callable[[HttpRequest], Any]) -> None:
    """Add a name to the context of every page, worked out when a template uses it."""
    _provided[name] = function


def reader_or_none(request: HttpRequest) -> Actor | None:
    """Who reads, asked once a request."""
    if not hasattr(request, "_haitang_reader"):
        request._haitang_reader = _identify(request) if _identify else None  # type: ignore[attr-defined]
    return request._haitang_reader  # type: ignore[attr-defined,no-any-return]


def reader(request: HttpRequest) -> Actor:
    """Who reads; raises SIGN_IN."""
    found = reader_or_none(request)
    if found is None:
        raise SIGN_IN()
    return found


def _lazy(function: Callable[[HttpRequest], Any], request: HttpRequest) -> Callable[[], Any]:
    kept: list[Any] = []

    def once() -> Any:
        if not kept:
            kept.append(function(request))
        return kept[0]

    return once


def shell(request: HttpRequest) -> dict[str, Any]:
    """The context processor."""
    actor = reader_or_none(request)
    return {
        "reader": actor,
        "theme": request.COOKIES.get("theme") if request.COOKIES.get("theme") in ("light", "dark") else "",
        "language": active_language(),
        "demo": settings().demo,
        "navigation": (lambda: navigation(actor, request.path)) if actor else list,
        **{name: _lazy(function, request) for name, function in _provided.items()},
    }
