"""The kinds resource and code_table, as authors write them."""

from datetime import date
from pathlib import Path

import pytest

from haitang.base.declarations import Declarations
from haitang.base.declarations.loader import load_folders
from haitang.base.declarations.owners import Owner
from haitang.base.errors import HaitangError
from haitang.hub.data.catalogue.conditions import fields_of, sql
from haitang.hub.data.catalogue.kinds import CodeTable, Resource

PERMIT = r"""
title: 排污许可证
key: [permit_no]
sharing: conditional
basis: 《排污许可管理条例》第二十三条
update: daily
fields:
  permit_no: {title: 许可证编号, required: true, pattern: '^\d{18}[A-Z]\d{3}[A-Z]$'}
  holder:    {title: 持证单位统一社会信用代码, type: uscc, required: true}
  contact:   {title: 联系人电话, type: mobile}
  issued:    {title: 发证日期, type: date, range: [2017-01-01, null]}
  expires:   {title: 有效期止, type: date}
checks: [expires > issued]
"""


def load(**files: str) -> Declarations:
    owner = Owner(
        "sample", "application", Path("sample"), {name.replace("__", "/").replace("_csv", ".csv"): text for name, text in files.items()}
    )
    return load_folders([owner]).partial


def test_a_resource_reads_as_people_write_it() -> None:
    permit = load(**{"resources/permit.yaml": PERMIT}).get(Resource, "permit")
    assert permit.fields["issued"].range == ("2017-01-01", None)
    assert permit.fields["contact"].classified == "sensitive"
    assert permit.fields["holder"].classified == "general"
    assert permit.checks[0].must == "expires > issued"


def test_a_code_table_is_yaml_or_csv_and_dated() -> None:
    csv = "# 管理类别\ncode,title,parent,from,until\na,重点管理,,,\nb,简化管理,a,2020-01-01,2025-12-31\n"
    declared = load(**{"code_tables/one.csv": csv, "code_tables/two.yaml": "title: 类别\ncodes: {a: 重点管理, b: {title: 简化管理}}\n"})
    one = declared.get(CodeTable, "one")
    assert one.title == "管理类别"
    assert list(one.valid_on(date(2026, 1, 1))) == ["a"]
    assert list(one.valid_on(date(2025, 12, 31))) == ["a", "b"]
    assert declared.get(CodeTable, "two").codes["a"].title == "重点管理"


def test_a_condition_compares_fields_and_nothing_else() -> None:
    assert list(fields_of("expires >= issued and area between 0 and 9")) == ["expires", "issued", "area"]
    assert sql("expires > issued") == '"expires" > "issued"'


@pytest.mark.parametrize("text", ["a > (select 1)", "read_csv('x') > 1", "a > 1 group by a", "t.a > 1", "a > 1; select 2", "", "a ~ 'x'"])
def test_whatever_else_is_refused(text: str) -> None:
    with pytest.raises(HaitangError, match=r"catalogue\.bad_condition"):
        sql(text)
