"""The evidence pages as a Django application, so that their templates are found."""

from django.apps import AppConfig


class EvidencePagesConfig(AppConfig):
    name = "haitang.operations.management.evidence"
    label = "evidence_pages"
