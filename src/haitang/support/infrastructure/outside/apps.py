"""Serves the port `letters`."""

from django.apps import AppConfig

from haitang.base import ports


class ByMail:
    """Sends by the mail server that the settings name."""

    def send(self, *, to: str, title: str, text: str, link: str) -> str:
        from haitang.base.settings import settings
        from haitang.support.infrastructure.outside.mail import Mail

        url = settings().mail_url
        return Mail(url, settings().mail_from).send(to=to, title=title, text=text, link=link) if url and to else ""


class OutsideConfig(AppConfig):
    name = "haitang.support.infrastructure.outside"
    label = "outside"

    def ready(self) -> None:
        ports.letters.register(ByMail())
