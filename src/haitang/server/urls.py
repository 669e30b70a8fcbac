"""Every room's pages and JSON API, found by discovery."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from ninja import NinjaAPI

from haitang.base.errors import HaitangError
from haitang.base.shell.views import why
from haitang.base.text import sentence_of
from haitang.server import internal
from haitang.server.demo import history as _of_demo  # noqa: F401 - its action has a title too
from haitang.server.demo import pages as demo
from haitang.server.discovery import modules

# The page of documentation would load its scripts from elsewhere; programs read openapi.json.
# What devices report to is described by its own listener, which the front serves.
_DEVICES = {"description": "设备上报 / what devices report to", "url": "/api/data/observations/openapi.json"}
api = NinjaAPI(title="Haitang", urls_namespace="api", docs_url=None, openapi_extra={"externalDocs": _DEVICES})


@api.exception_handler(HaitangError)
def refuse(request: HttpRequest, found: HaitangError) -> HttpResponse:
    """Every error of ours is JSON with its code and a sentence in the reader's language."""
    told = {"code": found.code, "message": sentence_of(found), "data": found.data, **why(request, found)}
    return api.create_response(request, told, status=found.status)


for _ in modules("actions"):  # the ledger names what was done by the action's title, whichever process did it
    pass

for _module in modules("api"):
    api.add_router("", _module.router)

urlpatterns: list[URLPattern | URLResolver] = [*internal.urlpatterns, *demo.urlpatterns, path("api/", api.urls)]
for _module in modules("pages"):
    urlpatterns += _module.urlpatterns

handler400 = "haitang.base.shell.views.bad_request"
handler403 = "haitang.base.shell.views.forbidden"
handler404 = "haitang.base.shell.views.not_found"
handler500 = "haitang.server.database_away.answer"
