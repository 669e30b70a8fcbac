"""A list shows exactly what a decision on each of its rows would allow: in Python, in PostgreSQL and in DuckDB."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haitang.base.actions import Actor, TokenScope, permission
from haitang.base.declarations import Declarations
from haitang.base.declarations.in_force import holding
from haitang.support.security.people.kinds import Organization, Role
from haitang.support.security.policy.engine import NONE, engine
from haitang.support.security.policy.entities import PLATFORM, Subject, subject_of
from haitang.support.security.policy.kinds import Policy
from haitang.support.security.policy.rows import ATTRIBUTES, FALSE, TRUE, rows

permission("listtest.read", "查看")

POLICIES = {
    "town": """permit (principal in Role::"town", action == Action::"listtest.read", resource)
               when { principal has division && resource has division && resource.division in principal.division };""",
    "below": """permit (principal in Role::"bureau", action == Action::"listtest.read", resource)
                when { principal has organization && resource has organization && resource.organization in principal.organization };""",
    "levels": """forbid (principal in Role::"town", action == Action::"listtest.read", resource)
                 when { resource has level && resource.level >= 2 && !(resource has owner && resource.owner == principal.ref) };""",
    "stages": """forbid (principal, action == Action::"listtest.read", resource) unless { !(resource has stage) || resource.stage != "drafted" };""",
}  # fmt: skip
ORGANIZATIONS = {
    "district": Organization(title="区", division="500111"),
    "water": Organization(title="水利局", parent="district", division="500111"),
    "station": Organization(title="水管站", parent="water", division="500111001"),
    "longgang": Organization(title="街道", parent="district", division="500111001"),
}
RELEASE = Declarations(
    "rows",
    {
        "role": {
            "head": Role(title="负责人", may=["listtest.*"]),
            "handler": Role(title="处置员", may=["listtest.read@own"]),
            "town": Role(title="街道干部"),
            "bureau": Role(title="局领导"),
        },
        "organization": ORGANIZATIONS,
        "policy": {name: Policy(title=name, cedar=cedar) for name, cedar in POLICIES.items()},
    },
)
for _name, _policy in RELEASE.all(Policy).items():
    _policy._id = _name

ROLES = ("head", "handler", "town", "bureau")
actors = st.builds(
    Actor,
    kind=st.sampled_from(["staff", "citizen", "device"]),
    id=st.sampled_from("12"),
    name=st.just("某人"),
    organization=st.none() | st.sampled_from(sorted(ORGANIZATIONS)),
    roles=st.frozensets(st.sampled_from(ROLES)),
    token=st.none() | st.sampled_from([TokenScope("t", frozenset({"listtest.*"})), TokenScope("t", frozenset({"case.read"}))]),
)
subjects = st.builds(
    Subject,
    ref=st.just("thing:1"),
    kind=st.just("thing"),
    organization=st.none() | st.sampled_from(sorted(ORGANIZATIONS)),
    division=st.none() | st.sampled_from(["500111", "500111001", "500111001002", "500112", "500112001"]),
    owner=st.none() | st.sampled_from(["staff:1", "staff:2"]),
    level=st.none() | st.integers(0, 4),
    stage=st.none() | st.sampled_from(["drafted", "filed"]),
)
COLUMNS = {name: name for name in ("organization", "division", "owner", "level", "stage")}
FIXED = {"ref": "thing:1", "kind": "thing"}


def in_duckdb(condition: tuple[str, list[object]], row: Subject) -> bool:
    text, values = condition
    given = ", ".join(f"?::{'bigint' if name == 'level' else 'varchar'} as {name}" for name in COLUMNS)
    found = duckdb.execute(f"select count(*) from (select {given}) where {text}", [*(getattr(row, n) for n in COLUMNS), *values])
    return found.fetchone() == (1,)


@settings(max_examples=150, deadline=None)
@given(actors, subjects)
def test_a_row_is_listed_just_when_it_may_be_read(actor: Actor, row: Subject) -> None:
    with holding(RELEASE):
        found = rows(actor, "listtest.read")
        decided = engine().verdict(actor, "listtest.read", row, NONE).allowed
    assert found.holds(row) == decided
    assert in_duckdb(found.sql(COLUMNS, FIXED), row) == decided
    alike = {name: getattr(row, name) for name in ATTRIBUTES}
    assert found.sql({}, alike) == ("true" if decided else "false", []), "what is alike in every row is asked of none"


@pytest.mark.django_db
@settings(max_examples=40, deadline=None)
@given(actors, subjects)
def test_postgresql_lists_the_same_rows(actor: Actor, row: Subject) -> None:
    from django.db import connection

    from haitang.hub.business.cases.filters import COLUMNS as OF_CASES
    from haitang.hub.business.cases.models import Case

    with holding(RELEASE):
        found = rows(actor, "listtest.read")
    of_cases = Subject(kind="case", organization=row.organization, division=row.division, stage=row.stage)
    query = Case.objects.filter(found.q(OF_CASES, {"kind": "case"})).only("id").query
    with connection.cursor() as cursor:
        cursor.execute(*_on_one_row(query, of_cases))
        assert (cursor.fetchone() == (1,)) == found.holds(of_cases)


def _on_one_row(query: object, row: Subject) -> tuple[str, list[object]]:
    """The query's condition over one made-up row instead of the table."""
    from django.core.exceptions import EmptyResultSet

    try:
        sql, values = query.sql_with_params()  # type: ignore[attr-defined]
    except EmptyResultSet:
        return "select 0", []
    where = sql.partition(" WHERE ")[2].partition(" ORDER BY ")[0] or "true"
    made = "select %s::varchar as organization_id, %s::varchar as division, %s::varchar as stage, 1 as id"
    return f"select count(*) from ({made}) cases_case where {where}", [row.organization, row.division or "", row.stage or "", *values]


def test_what_nobody_may_and_what_everybody_may_asks_no_column() -> None:
    with holding(RELEASE):
        assert rows(Actor("staff", "1", "某人"), "listtest.read") == FALSE
        assert rows(Actor("system", "rules", "rules"), "alarm.read") in (TRUE, FALSE)


def test_a_resource_says_what_it_is_by_plain_names() -> None:
    assert subject_of(None) == PLATFORM
    said = subject_of({"kind": "resource", "id": "permit", "organization": "water", "level": "sensitive"})
    assert (said.ref, said.organization, said.level) == ("resource:permit", "water", 2)
