"""Registers the evidence ledger."""

from django.apps import AppConfig

from haitang.base import ports


class EvidenceConfig(AppConfig):
    name = "haitang.support.security.evidence"
    label = "evidence"

    def ready(self) -> None:
        from haitang.support.security.evidence.ledger import Ledger

        ports.evidence.register(Ledger())
