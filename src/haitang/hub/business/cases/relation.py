"""The case table as indicators read it."""

from haitang.hub.data.indicators.relations import Relation

CASES = Relation(
    name="cases",
    sql="select number, case_kind as kind, severity, organization_id as organization, division, thing, origin, stage, "
    "source, opened_at, filed_at, dispatched_at, handled_at, due_at, closed_at, closed_on_time, returned, extended, title, id from cases_case",
    columns=(
        "number", "kind", "severity", "organization", "division", "thing", "origin", "stage",
        "source", "opened_at", "filed_at", "dispatched_at", "handled_at", "due_at", "closed_at", "closed_on_time", "returned", "extended", "title", "id",
    ),
    time="opened_at",
    read="case.read",
)  # fmt: skip
