from django.apps import AppConfig


class HealthConfig(AppConfig):
    name = "haitang.operations.management.health"
    label = "device_health"
