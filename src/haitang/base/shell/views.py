"""The door of a page: who reads, whether they may, and errors as pages that a person can act on."""

import functools
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render

from haitang.base import ports
from haitang.base.actions import NEEDS_PROOF, Refused, require
from haitang.base.errors import HaitangError
from haitang.base.shell.context import SIGN_IN, proof_page, reader
from haitang.base.text import T, sentence_of, translate

log = structlog.get_logger(__name__)

View = Callable[..., HttpResponseBase]


def page(permission: str = "", *, own: bool = False, anyone: str = "") -> Callable[[View], View]:
    """Mark a page: the reader is signed in (else sent to sign in), has `permission`, and a HaitangError becomes an error page.

    `own`: a permission for the reader's own organization opens it too, because the page shows no more than that. `anyone`: instead of a
    permission, the reason why whoever is signed in may open it. A page that says neither is refused when it is imported.
    """
    if bool(permission) == bool(anyone):
        raise TypeError("a page names its permission, or under `anyone` why it needs none")

    def mark(view: View) -> View:
        @functools.wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                actor = reader(request)
                if permission:
                    require(actor, permission, actor if own else None)
                return view(request, *args, **kwargs)
            except HaitangError as found:
                return failed(request, found)

        run.policy = permission or anyone  # type: ignore[attr-defined]
        return run

    return mark


def failed(request: HttpRequest, found: HaitangError) -> HttpResponse:
    """The answer to an error: sign-in for a stranger, JSON for a program, a page for a person."""
    if found.code == SIGN_IN.code and request.method == "GET" and not wants_json(request):
        return HttpResponseRedirect(f"{settings.LOGIN_URL}?next={quote(request.get_full_path())}")
    if wants_json(request):
        return JsonResponse({"code": found.code, "message": sentence_of(found), **why(request, found)}, status=found.status)
    if found.code == NEEDS_PROOF.code and (asked := proof_page(request, found)) is not None:
        return asked
    told = {"status": found.status, "sentence": sentence_of(found), "code": found.code, **why(request, found)}
    return render(request, "shell/error.html", told, status=found.status)


def why(request: HttpRequest, found: HaitangError) -> dict[str, str]:
    """`{"why": address}` where a refusal is explained; empty for other errors. What explains never stands in the way of the answer."""
    if not isinstance(found, Refused):
        return {}
    try:
        return {"why": ports.refusals().keep(found, way=f"{request.method} {request.path}")}
    except Exception:
        log.exception("refusal_not_kept", permission=found.refusal.permission)
        return {}


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that leads nowhere, under the brand of the place."""
    return _as_page(request, 404, T("地址可能有误，或者内容已经移走。请从首页或搜索进入。"))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django itself refuses."""
    return _as_page(request, 403, T("请换用有权限的身份，或联系本单位管理员。"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django itself cannot read."""
    return _as_page(request, 400, T("请求的内容有误，请检查后重试。"))


def _as_page(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"code": f"shell.{status}", "message": translate(sentence)}, status=status)
    return render(request, "shell/error.html", {"status": status, "sentence": translate(sentence)}, status=status)


def wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def show(request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """Render a page; a figure on it may be someone's work, so nothing between us and the reader keeps it."""
    answer = render(request, template, dict(context or {}), status=status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
