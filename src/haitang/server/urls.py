"""Every room's pages and JSON API, found by discovery."""

from django.urls import URLPattern, URLResolver, path
from ninja import NinjaAPI

from haitang.server import internal
from haitang.server.discovery import modules

api = NinjaAPI(title="Haitang", urls_namespace="api")
for _module in modules("api"):
    api.add_router("", _module.router)

urlpatterns: list[URLPattern | URLResolver] = [*internal.urlpatterns, path("api/", api.urls)]
for _module in modules("pages"):
    urlpatterns += _module.urlpatterns
