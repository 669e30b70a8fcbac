"""The door of what the front answers itself: the session or the API token is asked of control, and the asker goes into the ASGI scope.

Nothing that a client sends names the asker: headers `X-Haitang-…` from outside go no further.
"""

from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from haitang.base.asker import ASKER, Asker
from haitang.server.front.admission import Sort
from haitang.server.front.passing import Control

RESERVED = b"x-haitang-"

_REFUSALS = {
    401: ("base.no_actor", "请先登录。"),
    403: ("people.must_change_password", "请先修改一次性密码，或登记角色要求的第二因素。"),
    503: ("server.session_unknown", "暂时无法确认登录状态，请稍候再试。"),
}


class Door:
    """Lets through who is signed in. `app` asks `haitang.base.asker` for the permission."""

    def __init__(self, app: ASGIApp, control: Control) -> None:
        self._app, self._control = app, control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        asked = Headers(scope=scope)
        found = await asker(self._control, asked.get("cookie", ""), asked.get("authorization", ""), sort="bulk")
        if isinstance(found, int):
            await refusal(found)(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if not name.lower().startswith(RESERVED)]
        await self._app({**scope, "headers": headers, ASKER: found}, receive, send)


async def asker(control: Control, cookie: str, authorization: str = "", *, sort: Sort = "urgent") -> Asker | int:
    """Who the API token or the session cookie belongs to, or the status of the refusal.

    401; 403: a one-time password, or a factor that a role asks for is missing; 503: control does not answer.

    A request that carries a token is never anybody else's.
    """
    if authorization.lower().startswith("bearer "):
        status, told = await control.ask("/api/tokens/self", {"Authorization": authorization}, sort=sort)
    elif cookie:
        status, told = await control.ask("/api/session", {"Cookie": cookie}, sort=sort)
    else:
        return 401
    if status != 200 or not isinstance(told, dict):
        return 401 if status == 401 else 503
    return 403 if told.get("must_change_password") or told.get("must_enrol") else _asker(told)


def _asker(told: dict[str, Any]) -> Asker:
    own = frozenset(told["may_own"])
    return Asker(f"{told['kind']}:{told['person']}", frozenset(told["may"]) - own, own)


def refusal(status: int) -> JSONResponse:
    """The answer to who is not let in."""
    code, text = _REFUSALS[status]
    again = {"Retry-After": "3"} if status == 503 else {}
    return JSONResponse({"code": code, "message": text}, status, {"Cache-Control": "no-store", **again})
