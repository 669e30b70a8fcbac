"""Indicators tell the catalogue what they are computed from."""

from django.apps import AppConfig


class Indicators(AppConfig):
    """Registers what the resource page shows."""

    name = "haitang.hub.data.indicators"
    label = "indicators"

    def ready(self) -> None:
        from haitang.hub.data.catalogue import uses
        from haitang.hub.data.indicators.uses import uses as ours

        uses.register("indicators", ours)
