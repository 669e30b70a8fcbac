"""Parts that gathering has staged follow the lake's writer."""

from typing import Any

from django.apps import AppConfig


class Gathering(AppConfig):
    """Registers what lands staged parts; other processes load nothing."""

    name = "haitang.hub.data.gather"
    label = "gather"

    def ready(self) -> None:
        from haitang.hub.data.lake import followers

        followers.register("gather", _follow, every=0.1, share=4.0, anytime=True)


def _follow(connection: Any, position: int) -> object:
    from django.db import close_old_connections

    from haitang.hub.data.gather.landing import follow

    close_old_connections()
    return follow(connection, position)
