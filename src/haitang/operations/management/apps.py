"""The management centre as a Django application, so that its templates are found."""

from django.apps import AppConfig


class ManagementConfig(AppConfig):
    name = "haitang.operations.management"
    label = "management"
