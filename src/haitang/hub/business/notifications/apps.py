"""Serves the port `notices`."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import AppConfig

from haitang.base import ports
from haitang.base.actions import Act


class InHouse:
    """Tells people of this instance."""

    def tell(
        self,
        *,
        act: Act,
        people: Sequence[str],
        title: str,
        text: str,
        link: str,
        subject: str,
        urgency: str = "normal",
        data: Mapping[str, Any] | None = None,
    ) -> None:
        from haitang.hub.business.notifications.actions import tell

        tell(act=act, people=people, title=title, text=text, link=link, subject=subject, urgency=urgency, data=data)


class NotificationsConfig(AppConfig):
    name = "haitang.hub.business.notifications"
    label = "notifications"

    def ready(self) -> None:
        ports.notices.register(InHouse())
