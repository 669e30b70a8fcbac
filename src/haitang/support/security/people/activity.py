"""Notes that a signed-in person did something. What a page asks by itself in the background is no click, and does not keep a session alive."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from haitang.support.security.people.session_store import SessionStore
from haitang.support.security.people.sessions import mark_browser

BACKGROUND = ("/api/session", "/live")


class Activity:
    """Middleware, behind Django's sessions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self._get_response(request)
        mark_browser(request, answer)
        store = request.session
        if isinstance(store, SessionStore) and store.accessed and (not _by_itself(request) or "wall" in store):
            store.touch()
        return answer


def _by_itself(request: HttpRequest) -> bool:
    return request.path in BACKGROUND or request.headers.get("X-By-Itself") == "live"
