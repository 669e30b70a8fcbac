"""Derivations follow the lake's writer."""

from typing import Any

from django.apps import AppConfig


class Derivations(AppConfig):
    """Registers the engine; it is made when the writer first calls it, so that other processes load nothing."""

    name = "haitang.hub.data.derive"
    label = "derive"

    def ready(self) -> None:
        from haitang.hub.data.catalogue import uses
        from haitang.hub.data.derive.uses import uses as ours
        from haitang.hub.data.lake import followers

        uses.register("derive", ours)
        followers.register("derive", _follow, every=3.0)


_engine: list[Any] = []


def _follow(connection: Any, position: int) -> None:
    from haitang.hub.data.derive.engine import Engine

    if not _engine:
        _engine.append(Engine())
    _engine[0].follow(connection, position)
