"""The app of procedures."""

from django.apps import AppConfig


class ProceduresConfig(AppConfig):
    name = "haitang.hub.business.procedures"
    label = "procedures"
