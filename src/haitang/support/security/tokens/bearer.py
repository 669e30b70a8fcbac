"""`Authorization: Bearer ht_…` on the API: the request acts as the token's holder, within the token's scope.

No page opens by a token. A request with a token carries no authority of a cookie, so it needs no CSRF token: a foreign page cannot set the header.
"""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, JsonResponse

from haitang.base.errors import HaitangError
from haitang.base.text import sentence_of
from haitang.support.security.tokens.queries import authenticated

SCHEME = "bearer "


class Bearer:
    """Middleware, after the one that reads the session."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self._answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        written = request.headers.get("Authorization", "")
        if not written.lower().startswith(SCHEME) or not request.path.startswith("/api/"):
            return self._answer(request)
        try:
            token, who = authenticated(written[len(SCHEME) :].strip())
        except HaitangError as refused:
            answer = JsonResponse({"code": refused.code, "message": sentence_of(refused)}, status=refused.status)
            answer["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            return answer
        request.user = token.person or AnonymousUser()
        request._haitang_actor = who  # type: ignore[attr-defined]
        request._haitang_reader = who  # type: ignore[attr-defined]
        request._haitang_token = token  # type: ignore[attr-defined]
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        return self._answer(request)
