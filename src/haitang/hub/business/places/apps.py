"""Serves the port of divisions."""

from django.apps import AppConfig


class PlacesConfig(AppConfig):
    name = "haitang.hub.business.places"
    label = "places"

    def ready(self) -> None:
        from haitang.base import ports
        from haitang.hub.business.places.locating import PlaceDivisions

        ports.divisions.register(PlaceDivisions())
