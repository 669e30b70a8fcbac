"""The last net under every address: our errors are told in their words wherever they are raised, and odd input is the asker's mistake.

Odd is what no table can hold or look up: NUL, a number out of range, an id of the wrong shape.
"""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse, JsonResponse

from haitang.base.errors import HaitangError, error
from haitang.base.shell.views import failed, why
from haitang.base.text import sentence_of

NOT_ACCEPTED = error(
    "server.not_accepted", 400, "请求中有系统无法查询或保存的内容，如不可见字符、过大的数字、格式不对的编号。请检查后重试。"
)


class OddInput:
    """Middleware: answers 400 in the way of the address, as JSON under /api/."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self._answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._answer(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        refused = exception if isinstance(exception, HaitangError) else NOT_ACCEPTED() if _odd(exception) else None
        if refused is None:
            return None
        if request.path.startswith("/api/"):
            told = {"code": refused.code, "message": sentence_of(refused), "data": {}, **why(request, refused)}
            return JsonResponse(told, status=refused.status)
        return failed(request, refused)


def _odd(exception: Exception) -> bool:
    return isinstance(exception, DataError | ValidationError | OverflowError) or (
        isinstance(exception, ValueError) and "NUL (0x00)" in str(exception)
    )
