"""Every room's pages and JSON API, found by discovery."""

from django.urls import path
from ninja import NinjaAPI

from haitang.server.discovery import modules

api = NinjaAPI(title="Haitang", urls_namespace="api")
for _module in modules("api"):
    api.add_router("", _module.router)

urlpatterns = [path("api/", api.urls)]
for _module in modules("pages"):
    urlpatterns += _module.urlpatterns
