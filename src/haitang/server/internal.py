"""What the front asks the control plane."""

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET

from haitang.base.declarations import release_digest


@require_GET
def alive(request: HttpRequest) -> JsonResponse:
    """Whether control answers and reaches its tables, and the release it works under."""
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return JsonResponse({"release": release_digest()})


urlpatterns = [path("api/alive", alive)]
