"""Plugs the commands of HJ 212 into those of things."""

from django.apps import AppConfig


class Hj212Config(AppConfig):
    name = "haitang.support.infrastructure.listeners.hj212"
    label = "hj212"

    def ready(self) -> None:
        from haitang.support.infrastructure.commands.protocols import register
        from haitang.support.infrastructure.listeners.hj212.commands import Hj212

        register(Hj212())
