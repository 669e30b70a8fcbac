"""A proposed resource: what is seen in a file, what is doubted, and a declaration that the checker takes."""

import random
from pathlib import Path

import pytest

from haitang.base.declarations.testing import load_texts
from haitang.base.errors import HaitangError
from haitang.hub.data.catalogue.kinds import CodeTable, Resource
from haitang.hub.data.gather.infer import Proposal, propose
from haitang.hub.data.gather.infer.columns import Column
from haitang.hub.data.gather.infer.naming import names_of
from haitang.server.discovery import load_kinds
from haitang.support.standards.codes import resident, social_credit

DATA = Path(__file__).parents[6] / "shared" / "data"


def declared(proposal: Proposal) -> tuple[Resource, dict[str, CodeTable]]:
    """The proposal's files through the loader and checks that every application goes through."""
    load_kinds()
    loaded = load_texts({"application.yaml": "title: 暂定\n", **proposal.files})
    assert loaded.declarations is not None, "\n".join(map(str, loaded.errors))
    found = loaded.declarations.all(Resource)[proposal.id]
    return found, {id: table for id, table in loaded.declarations.all(CodeTable).items() if id.startswith(proposal.id)}


def column(proposal: Proposal, heading: str) -> Column:
    return next(found for found in proposal.columns if found.heading == heading)


@pytest.fixture
def enterprises(tmp_path: Path) -> Proposal:
    """Synthetic enterprises: codes with right checks that belong to nobody."""
    chance = random.Random(7)
    lines = ["企业名称,统一社会信用代码,联系人,联系电话,身份证号,乡镇,成立日期,注册资本(万元),经度,纬度,在营,车牌号,备注"]
    for n in range(100):
        credit = f"9150011{chance.randrange(10)}MA{n:07}"
        person = f"9991111990010{1 + n % 9}{n:03}"
        lines.append(
            ",".join(
                [
                    f"企业{n}", credit + social_credit.check_of(credit), f"某{n}", f"1380000{n:04}", person + resident.check_of(person[:17]),
                    chance.choice(["龙水镇", "宝顶镇", "万古镇"]), f"2020/{1 + n % 12}/{1 + n % 28}", f"{n * 10}.50" if n else "--",
                    f"{105.6 + n / 1000:.4f}", f"{29.5 + n / 1000:.4f}", chance.choice("是否"), f"渝C{n:05}", "致电13800000000" if n == 3 else "",
                ]
            )
        )  # fmt: skip
    (tmp_path / "企业.csv").write_text("\n".join(lines), "utf-8")
    return propose(tmp_path / "企业.csv")


def test_types_levels_and_units_are_seen(enterprises: Proposal) -> None:
    found = {found.heading: found.type for found in enterprises.columns}
    assert found == {
        "企业名称": "text", "统一社会信用代码": "uscc", "联系人": "text", "联系电话": "mobile", "身份证号": "resident_id", "乡镇": "text",
        "成立日期": "date", "注册资本(万元)": "decimal", "经度": "number", "纬度": "number", "在营": "boolean", "车牌号": "licence_plate",
        "备注": "text",
    }  # fmt: skip
    capital = column(enterprises, "注册资本(万元)")
    assert (capital.name.title, capital.name.unit, capital.missing, capital.required) == ("注册资本", "万元", ["--"], False)
    assert [column(enterprises, heading).level for heading in ("身份证号", "联系人", "备注", "乡镇")] == [
        "sensitive",
        "sensitive",
        "sensitive",
        None,
    ]
    assert column(enterprises, "乡镇").codes == ["万古镇", "宝顶镇", "龙水镇"]


def test_the_key_is_a_number_that_tells_rows_apart(enterprises: Proposal) -> None:
    assert enterprises.key == ["uscc"]


@pytest.fixture(autouse=True)
def no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no place is in force, nothing can be told from where points lie; another test of the process may have left one."""

    def nowhere() -> None:
        raise RuntimeError("no room serves divisions here")

    monkeypatch.setattr("haitang.hub.data.gather.infer.proposal.divisions", nowhere)


def test_longitude_and_latitude_become_a_point(enterprises: Proposal) -> None:
    assert enterprises.point is not None
    assert enterprises.point.system == "cgcs2000"
    assert "gcj02" in enterprises.point.doubt
    assert enterprises.mapping["location"] == ["经度", "纬度"]


def test_what_is_written_is_a_declaration_with_doubts(enterprises: Proposal) -> None:
    resource, tables = declared(enterprises)
    assert resource.title == "企业"
    assert resource.fields["uscc"].type == "uscc"
    assert resource.fields["resident_id"].classified == "sensitive"
    assert resource.fields["location"].type == "point"
    assert resource.fields["town"].code_table in tables
    assert list(tables[resource.fields["town"].code_table].codes) == ["万古镇", "宝顶镇", "龙水镇"]
    assert "# ？" in enterprises.files["resources/enterprise.yaml"]


def test_two_columns_together_may_be_the_key(tmp_path: Path) -> None:
    lines = [f"{station},2026-01-{day:02},{day}.5" for station in ("龙水", "宝顶") for day in range(1, 29)]
    (tmp_path / "a.csv").write_text("\n".join(["站点,日期,数值", *lines]), "utf-8")
    assert set(propose(tmp_path / "a.csv").key) == {"station", "date"}


def test_numbers_with_leading_zeros_are_codes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("编号,数\n" + "\n".join(f"{n:05},{n}" for n in range(30)), "utf-8")
    proposal = propose(tmp_path / "a.csv")
    assert [found.type for found in proposal.columns] == ["text", "integer"]
    assert "前导零" in column(proposal, "编号").doubts[0]


def test_no_key_is_said_and_not_made_up(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("甲,乙\n1,2\n1,2\n", "utf-8")
    assert "没有找到" in "".join(propose(tmp_path / "a.csv").doubts)


def test_a_file_without_rows_and_a_bad_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("甲,乙\n", "utf-8")
    with pytest.raises(HaitangError, match="nothing_to_infer"):
        propose(tmp_path / "a.csv")
    with pytest.raises(HaitangError, match="bad_resource_id"):
        propose(tmp_path / "a.csv", id="坏")


@pytest.mark.parametrize("text", ["是", "no", "a: b", "#1", '"引"', "- 项", "[x]", "2026", "null", "甲 乙", "{a}", "'", "\\", "100%"])
def test_any_heading_makes_a_file_that_reads_back(tmp_path: Path, text: str) -> None:
    quoted = text.replace('"', '""')
    (tmp_path / "a.csv").write_text(f'编号,"{quoted}"\n' + "".join(f"A{n},值{n}\n" for n in range(3)), "utf-8")
    resource, _ = declared(propose(tmp_path / "a.csv", title=text))
    assert resource.title == text
    assert text in [field.title for field in resource.fields.values()]


@pytest.mark.parametrize(
    ("name", "types", "key"),
    [
        (
            "water-quality/chongqing_water_quality_4h.csv",
            {"水温(℃)": "number", "溶解氧(mg/L)": "number", "监测时间": "text"},
            ["monitored_at", "section"],
        ),
        ("hospitals/chongqing.csv", {"prov_code": "integer", "name": "text"}, None),
        ("citizen-messages/messages_with_replies_2816.csv.gz", {"留言时间": "datetime"}, ["message_code"]),
        ("gov-service-items/guangan_items.csv", {"areaCode": "division"}, None),
        ("air-quality-beibei/大气网格化监测历史数据信息(1).json", {"recv_time": "datetime", "pm2_5": "number"}, ["id"]),
        ("electricity/ETTh1.csv.gz", {"date": "datetime", "OT": "number"}, ["date"]),
    ],
)
def test_a_real_file_gets_a_proposal(name: str, types: dict[str, str], key: list[str] | None) -> None:
    if not (DATA / name).exists():
        pytest.skip(f"{DATA / name} is not on this machine")
    proposal = propose(DATA / name)
    resource, _ = declared(proposal)
    assert {heading: column(proposal, heading).type for heading in types} == types
    assert sorted(resource.key) == (key or sorted(resource.key))


@pytest.mark.parametrize(
    ("heading", "title", "unit"),
    [
        ("水温(℃)", "水温", "℃"),
        ("电导率(μS/cm)", "电导率", "μS/cm"),
        ("pH(无量纲)", "pH", None),
        ("产值（万元）", "产值", "万元"),
        ("名称(全称)", "名称(全称)", None),
    ],
)
def test_a_unit_in_a_heading_is_taken_out_of_the_title(heading: str, title: str, unit: str | None) -> None:
    (name,) = names_of([heading])
    assert (name.title, name.unit) == (title, unit)
