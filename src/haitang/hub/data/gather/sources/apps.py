"""Tables and templates of sources."""

from django.apps import AppConfig


class GatherSources(AppConfig):
    name = "haitang.hub.data.gather.sources"
    label = "gather_sources"
