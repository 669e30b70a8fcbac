"""Tells the page shell about the place and the reader."""

from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest


class PagesConfig(AppConfig):
    name = "haitang.hub.business.pages"
    label = "pages"

    def ready(self) -> None:
        from haitang.base.shell.context import provides, reader_or_none
        from haitang.hub.business.pages import frame

        def of_reader(function: Any) -> Any:
            def ask(request: HttpRequest) -> Any:
                actor = reader_or_none(request)
                return function(actor) if actor else None

            return ask

        provides("place", lambda request: frame.place())
        provides("guided_tour", of_reader(lambda actor: frame.guided_tour()))
        provides("inbox_count", of_reader(frame.inbox_count))
        provides("reader_organization", of_reader(frame.organization_title))
        provides("reader_roles", of_reader(frame.role_titles))
