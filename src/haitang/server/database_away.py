"""The control plane's answer to what nobody caught. A database that is away, or cannot write, is no fault of a program: 503 and when to come again, told to people by the front."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.defaults import server_error

from haitang.server.front.passing import AWAY


def answer(request: HttpRequest) -> HttpResponse:
    """Django calls this while the exception is being handled."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return HttpResponse(status=503, headers={AWAY: "database", "Retry-After": "3"})
    return server_error(request)
