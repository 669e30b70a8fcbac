"""What a folder says becomes declarations, or problems that say where."""

import pytest

from haitang.base.declarations.testing import declarations_of, load_texts
from haitang.hub.business.procedures.kinds import Procedure
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.rules.kinds import Rule
from haitang.server.discovery import load_kinds
from haitang.support.infrastructure.things.kinds import Device, Thing
from haitang.support.security.people.kinds import Organization

load_kinds()

DEVICE = "title: 空气站\nobserves:\n  pm2_5: {title: 细颗粒物, unit: ug/m3, statistics: [hour mean]}\n"
RULE = "title: 超标\nwatches: air_station.pm2_5, hour mean\nwhen: value > 115\nfor: 2h\n"
PLACE = {
    "place.yaml": "title: 某区\ncode: '500111'\n",
    "organizations.yaml": "bureau: {title: 生态环境局, fills: [ecology_bureau]}\n",
    "things.csv": "id,title,device,organization,division,longitude,latitude\ns1,一号站,air_station,bureau,500111001,105.7,29.7\n",
}


def test_every_shape_is_read() -> None:
    found = declarations_of(
        {
            "application.yaml": "title: 例\nprovider: ecology_bureau\n",
            "devices/air_station.yaml": DEVICE,
            "rules/high.yaml": RULE,
            "derive/hours.sql": "/*---\ntitle: 小时\ngrain: [hour]\n---*/\nselect hour from hour_means_of('air_station')\n",
        },
        place=PLACE,
    )
    assert found.get(Device, "air_station").observes["pm2_5"].unit == "ug/m3"
    assert found.get(Rule, "high").for_ == "2h"
    assert found.get(Derive, "hours").sql.startswith("select hour")
    assert found.get(Thing, "s1").longitude == pytest.approx(105.7)
    assert found.get(Organization, "bureau").fills == ["ecology_bureau"]


def test_a_declaration_knows_its_id_owner_and_file() -> None:
    rule = declarations_of({"devices/air_station.yaml": DEVICE, "rules/high.yaml": RULE}, name="air").get(Rule, "high")
    assert (rule.id, rule.owner, str(rule.file)) == ("high", "air", "air/rules/high.yaml")


def test_all_errors_come_in_one_run_with_their_lines() -> None:
    loaded = load_texts({"rules/a.yaml": "title: x\nwathces: y\nwhen: value\n", "devices/b.yaml": "title: [1\n"})
    assert {(p.code, p.line) for p in loaded.errors} >= {
        ("declarations.unknown_key", 2),
        ("declarations.missing_key", 1),
        ("declarations.yaml_syntax", 2),
    }
    assert loaded.declarations is None


def test_a_wrong_shape_hides_no_wrong_reference() -> None:
    things = {"things.csv": "id,title,device,organization,division,longitude,latitude\ns1,一号站,air_statoin,nobody,500111001,here,29.7\n"}
    procedure = """
        title: 处置
        stages: {filed: {title: 立案}, closed: {title: 结案, end: true}}
        moves: {close: {title: 结案, from: filed, to: closed, by: [nobody]}}
    """
    loaded = load_texts({"devices/air_station.yaml": DEVICE, "procedures/p.yaml": procedure}, place={**PLACE, **things})
    found = {(p.code, p.key_path) for p in loaded.errors}
    assert {("declarations.missing_key", "start"), ("declarations.unresolved", "moves.close.by.0")} <= found
    assert [p.code for p in loaded.errors if p.declaration.endswith("s1")] == [
        "declarations.unresolved",
        "declarations.unresolved",
        "declarations.bad_value",
    ]


def test_the_hint_names_the_word_that_was_meant() -> None:
    loaded = load_texts({"rules/a.yaml": RULE + "serverity: warning\n"})
    assert "severity" in loaded.errors[0].mend()


def test_a_reference_inside_nested_lists_is_resolved() -> None:
    procedure = """
        title: 处置
        start: filed
        stages: {filed: {title: 立案}, closed: {title: 结案, end: true}}
        moves: {close: {title: 结案, from: filed, to: closed, by: [dispatcher, nobody]}}
    """
    loaded = load_texts({"procedures/p.yaml": procedure, "roles/dispatcher.yaml": "title: 派遣员\n"})
    unresolved = [p for p in loaded.errors if p.code == "declarations.unresolved"]
    assert [(p.key_path, p.line) for p in unresolved] == [("moves.close.by.1", 4)]


def test_the_place_tunes_what_may_be_tuned() -> None:
    overrides = "rule high: {when: value > 100}\nprocedure p:\n  stages.filed.within: 2 working hours\n"
    procedure = """
        title: 处置
        start: filed
        stages: {filed: {title: 立案, within: 1 working hours}, closed: {title: 结案, end: true}}
        moves: {close: {title: 结案, from: filed, to: closed, by: dispatcher}}
    """
    found = declarations_of(
        {
            "devices/air_station.yaml": DEVICE,
            "rules/high.yaml": RULE,
            "procedures/p.yaml": procedure,
            "roles/dispatcher.yaml": "title: 派遣员\n",
        },
        place={**PLACE, "overrides.yaml": overrides},
    )
    assert found.get(Rule, "high").when == "value > 100"
    assert found.get(Procedure, "p").stages["filed"].within == "2 working hours"


def test_a_bad_override_is_reported_where_the_place_wrote_it() -> None:
    overrides = "rule high:\n  for: soon\n  title: 别的\n"
    loaded = load_texts({"devices/air_station.yaml": DEVICE, "rules/high.yaml": RULE}, place={**PLACE, "overrides.yaml": overrides})
    assert {(p.code, p.file.name if p.file else "", p.line) for p in loaded.errors} == {
        ("declarations.bad_value", "overrides.yaml", 2),
        ("declarations.not_tunable", "overrides.yaml", 3),
    }


def test_equal_texts_have_an_equal_digest() -> None:
    one, two = (declarations_of({"devices/air_station.yaml": DEVICE}).digest for _ in range(2))
    other = declarations_of({"devices/air_station.yaml": DEVICE + "# 说明\n"}).digest
    assert one == two != other
