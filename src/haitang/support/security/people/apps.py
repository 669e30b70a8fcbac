"""Tells the page shell who reads."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "haitang.support.security.people"
    label = "people"

    def ready(self) -> None:
        from haitang.base.shell.context import asks_for_proof, identifies, provides
        from haitang.support.security.people.identity import reader
        from haitang.support.security.people.proof import ask
        from haitang.support.security.people.sessions import personas
        from haitang.support.security.people.single_sign_on.outside import title

        identifies(reader)
        asks_for_proof(ask)
        provides("outside_sign_in", lambda request: title())
        provides("personas", lambda request: personas())
        provides("persona", lambda request: request.session.get("persona", "") if hasattr(request, "session") else "")
