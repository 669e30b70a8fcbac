"""Serves the port `matters` and makes cases known to the procedure engine."""

from django.apps import AppConfig

from haitang.base import ports


class CasesConfig(AppConfig):
    name = "haitang.hub.business.cases"
    label = "cases"

    def ready(self) -> None:
        from haitang.hub.business.cases import notify  # noqa: F401 - registers the effect `notifies`
        from haitang.hub.business.cases.duties import CaseDuties
        from haitang.hub.business.cases.matters import CaseMatters
        from haitang.hub.business.cases.mirror import CaseSubject
        from haitang.hub.business.cases.relation import CASES
        from haitang.hub.business.procedures.subjects import subjects
        from haitang.hub.data.indicators import relations

        relations.register(CASES)
        subjects["case"] = CaseSubject()
        ports.matters.register(CaseMatters())
        ports.duties.register(CaseDuties())
