from django.apps import AppConfig

from haitang.base import ports


class StreamConfig(AppConfig):
    name = "haitang.support.infrastructure.stream"

    def ready(self) -> None:
        from haitang.support.infrastructure.stream.live import PostgresLiveFeed

        ports.live.register(PostgresLiveFeed())
