"""Plugs the commands that a device's type declares into those of things."""

from django.apps import AppConfig


class MqttConfig(AppConfig):
    name = "haitang.support.infrastructure.listeners.mqtt"
    label = "mqtt"

    def ready(self) -> None:
        from haitang.support.infrastructure.commands.protocols import register
        from haitang.support.infrastructure.listeners.mqtt.declared import Mqtt

        register(Mqtt())
