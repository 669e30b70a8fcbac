"""The page shell as a Django application, so that its templates and tags are found."""

from django.apps import AppConfig


class ShellConfig(AppConfig):
    name = "haitang.base.shell"
    label = "shell"
