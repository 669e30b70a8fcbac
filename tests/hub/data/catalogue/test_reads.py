"""A reader gets the fields and rows that policies give, masked inside the query; nothing leaks by filtering, sorting or counting."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from haitang.base.actions import Actor
from haitang.base.declarations import Declarations
from haitang.base.declarations.in_force import holding
from haitang.base.errors import HaitangError
from haitang.hub.data.catalogue import paging
from haitang.hub.data.catalogue.kinds import Resource, ResourceField
from haitang.hub.data.catalogue.reads import Asked, read
from haitang.hub.data.catalogue.tables import ensure
from haitang.support.security.evidence.actions import answer_digest
from haitang.support.security.evidence.models import Access, EvidenceRecord
from haitang.support.security.people.kinds import Organization as Declared
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Organization
from haitang.support.security.policy.kinds import Policy
from tests.hub.data.fresh import fresh_lake

pytestmark = pytest.mark.django_db

PERMIT = Resource(
    title="许可证",
    key=["no"],
    provider="ecology_bureau",
    fields={
        "no": ResourceField(title="编号"),
        "holder": ResourceField(title="负责人", level="sensitive"),
        "phone": ResourceField(title="电话", type="mobile"),
        "address": ResourceField(title="住址", level="sensitive"),
        "secret": ResourceField(title="内部", level="core"),
        "town": ResourceField(title="区划", type="division"),
        "size": ResourceField(title="规模", type="integer"),
    },
)
PERMIT._id = "permit"
TOWN = Policy(
    title="街道只看本辖区",
    cedar="""forbid (principal in Role::"town", action == Action::"data.read", resource)
             when { resource has division && !(principal has division && resource.division in principal.division) };""",
)
TOWN._id = "town"
RELEASE = Declarations(
    "reads",
    {
        "resource": {"permit": PERMIT},
        "role": {"reader": Role(title="数据员", may=["data.read"]), "town": Role(title="街道干部", may=["data.read"])},
        "organization": {"ecology": Declared(title="生态环境局", fills=["ecology_bureau"]), "longgang": Declared(title="街道", division="500111001")},
        "policy": {"town": TOWN},
    },
)  # fmt: skip
ROWS = [
    ("1", "王小明", "13800001234", "重庆市大足区龙岗街道某某路一号", "x", "500111001", 3),
    ("2", "李四", "13900005678", "短地址", "y", "500111002", 1),
    ("3", None, None, None, None, "500111001005", 2),
]
WAY = "test"


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Any]:
    Organization.objects.create(id="ecology", title="生态环境局", fills=["ecology_bureau"])
    with holding(RELEASE), fresh_lake(tmp_path) as writer:
        ensure(writer, PERMIT)
        for number, row in enumerate(ROWS):
            writer.execute("insert into lake.resource_permit by name select *, 1 as block, ? as block_index from (values (?, ?, ?, ?, ?, ?, ?)) "
                           "as t(no, holder, phone, address, secret, town, size)", [number, *row])  # fmt: skip
        yield writer


def reader(role: str = "reader", organization: str | None = "water") -> Actor:
    return Actor("staff", "1", "某人", organization, frozenset({role}))


def asked(**more: Any) -> Asked:
    return Asked(**{"equal": {}, "least": {}, "most": {}, **more})


@pytest.mark.usefixtures("lake")
def test_another_organization_sees_masks_of_the_same_length() -> None:
    first, second, third = read(reader(), PERMIT, asked(), way=WAY).rows
    assert (first["holder"], first["phone"], first["address"]) == ("王**", "138****1234", "重庆市大足区*********")
    assert (second["holder"], second["address"], second["secret"]) == ("李*", "短**", None)
    assert (third["holder"], third["no"], third["size"]) == (None, "3", 2)


@pytest.mark.usefixtures("lake")
def test_the_providing_organization_sees_clear_when_it_says_why_and_leaves_evidence() -> None:
    found = read(reader(organization="ecology"), PERMIT, asked(), way=WAY, purpose="case:1")
    assert (found.rows[0]["phone"], found.rows[0]["secret"]) == ("13800001234", None)
    record = EvidenceRecord.objects.get(ref=found.evidence)
    assert (record.subject_id, record.facts["purpose"], record.facts["rows"]) == ("permit", "case:1", 3)
    assert record.facts["subjects"]["count"] == 2
    assert "13800001234" not in str(record.facts)


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize(("organization", "purpose"), [("ecology", ""), ("water", "case:1"), (None, "case:1")])
def test_without_purpose_or_from_elsewhere_it_stays_masked_and_is_no_access(organization: str | None, purpose: str) -> None:
    found = read(reader(organization=organization), PERMIT, asked(), way=WAY, purpose=purpose)
    assert {"holder", "phone", "address", "secret"} == set(found.masked)
    assert found.evidence is None


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize("by", [{"equal": {"phone": "13800001234"}}, {"least": {"holder": "王"}}, {"sort": "-secret"}, {"sort": "address"}])
def test_a_masked_field_neither_filters_nor_sorts(by: dict[str, Any]) -> None:
    with pytest.raises(HaitangError, match="masked"):
        read(reader(), PERMIT, asked(**by), way=WAY)


@pytest.mark.usefixtures("lake")
def test_filters_sort_pages_and_counts_exactly() -> None:
    found = read(reader(), PERMIT, asked(least={"size": "2"}, sort="-size", size=1, page=2), way=WAY)
    assert (found.total, [row["no"] for row in found.rows]) == (2, ["3"])


@pytest.mark.usefixtures("lake")
def test_a_row_filter_of_a_policy_holds_for_rows_and_count() -> None:
    found = read(reader("town", "longgang"), PERMIT, asked(), way=WAY)
    assert (found.total, [row["no"] for row in found.rows]) == (2, ["1", "3"])


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize(
    ("by", "code"),
    [
        ({"equal": {"no such": "1"}}, "no_field"),
        ({"equal": {'a" or 1=1 --': "1"}}, "no_field"),
        ({"sort": 'size"; drop table x --'}, "no_field"),
        ({"equal": {"size": "many"}}, "bad_value"),
        ({"size": 100_000}, "bad_page"),
    ],
)
def test_what_cannot_be_asked_is_refused(by: dict[str, Any], code: str) -> None:
    with pytest.raises(HaitangError, match=code):
        read(reader(), PERMIT, asked(**by), way=WAY)


@pytest.mark.usefixtures("lake")
def test_who_may_not_read_data_reads_nothing() -> None:
    with pytest.raises(HaitangError, match="not_allowed"):
        read(Actor("citizen", "1", "某人"), PERMIT, asked(), way=WAY)


def test_what_is_kept_of_an_answer_ends_with_a_change_of_the_rows(lake: Any) -> None:
    first = read(reader(), PERMIT, asked(), way=WAY)
    assert read(reader(), PERMIT, asked(), way=WAY) == first
    lake.execute("delete from lake.resource_permit where no = '2'")
    after = read(reader(), PERMIT, asked(), way=WAY)
    assert (after.total, [row["no"] for row in after.rows]) == (2, ["1", "3"])


@pytest.mark.usefixtures("lake")
def test_what_is_kept_for_one_reader_is_not_given_to_one_who_may_see_less() -> None:
    clear = read(reader(organization="ecology"), PERMIT, asked(), way=WAY, purpose="case:1")
    other = read(reader(), PERMIT, asked(), way=WAY)
    assert (clear.rows[0]["phone"], other.rows[0]["phone"]) == ("13800001234", "138****1234")
    assert (read(reader("town", "longgang"), PERMIT, asked(), way=WAY).total, other.total) == (2, 3)


@pytest.mark.usefixtures("lake")
def test_every_answer_out_of_what_is_kept_leaves_evidence_of_its_own() -> None:
    first, second = (read(reader(organization="ecology"), PERMIT, asked(), way=WAY, purpose="case:1") for _ in range(2))
    assert (first.rows, first.evidence is not None) == (second.rows, True)
    assert EvidenceRecord.objects.filter(ref__in=[first.evidence, second.evidence]).count() == 2


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize(("number", "whose"), [("1", 1), ("3", 0)])
def test_an_answer_leaves_its_evidence_whether_or_not_it_says_whose_data_it_was(number: str, whose: int) -> None:
    found = read(reader(organization="ecology"), PERMIT, asked(equal={"no": number}), way=WAY, purpose="case:1")
    record = EvidenceRecord.objects.get(ref=found.evidence)
    assert (record.facts["rows"], record.facts["answer"]) == (1, answer_digest(found.encoded))
    assert (record.facts["subjects"]["count"], Access.objects.filter(ref=found.evidence).count()) == (whose, whose)


def test_a_policy_that_decides_alike_for_every_row_is_no_condition_of_the_query(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    statements, really = list[str](), paging._table

    def noted(sql: str, values: Sequence[Any]) -> Any:
        statements.append(sql)
        return really(sql, values)

    monkeypatch.setattr(paging, "_table", noted)
    assert read(reader(), PERMIT, asked(), way=WAY).total == len(ROWS)
    assert statements[0] == "select count(*)::bigint as rows from lake.resource_permit", "counted by the lake, not row by row"
    statements.clear()
    assert read(reader("town", "longgang"), PERMIT, asked(), way=WAY).total == 2
    assert all("starts_with" in sql for sql in statements), "a filter of rows stands in every query"
