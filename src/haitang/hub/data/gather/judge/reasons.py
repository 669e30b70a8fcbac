"""Why a row is quarantined: a word, with the sentence that a person reads.

A reason is kept as {field, code, ...data}; `said` makes the sentence in the reader's language.
"""

from collections.abc import Mapping
from typing import Any

from haitang.base.declarations import in_force
from haitang.base.text import T, translate
from haitang.hub.data.catalogue.kinds import CodeTable, Resource

SENTENCES: dict[str, str] = {
    "required": T("必填，但没有值"),
    "type": T("不是{type}：{value}"),
    "range": T("超出范围 {low} 至 {high}：{value}"),
    "length": T("长度应为 {low} 至 {high} 个字：{value}"),
    "pattern": T("不符合规定的写法：{value}"),
    "code_table": T("代码表“{table}”里没有这个代码：{value}"),
    "references": T("在 {referred} 里找不到：{value}"),
    "code": T("{says}：{value}"),
    "unique": T("与其他记录重复：{value}"),
    "key_repeated": T("主键在本文件中重复，第一次在第 {first} 行"),
    "condition": T("{says}"),
    "outside": T("点位不在中国范围内，或经纬度写反：{value}"),
    "broken": T("{says}"),
}


def said(reason: Mapping[str, Any], *, masked: bool = False) -> str:
    """The sentence of a reason. `masked`: the value that it quotes is not for this reader."""
    data = {key: translate(value) if key == "says" and isinstance(value, str) else value for key, value in reason.items()}
    if masked and "value" in data:
        data["value"] = "＊＊＊"
    if data.get("code") in ("range", "length"):
        data = {**data, "low": _end(data.get("low")), "high": _end(data.get("high"))}
    if data.get("code") in ("code_table", "references"):
        data |= _titled(data)
    if "type" in data:
        data["type"] = translate(str(data["type"]))
    return translate(SENTENCES.get(str(reason["code"]), "{code}"), **data)


def _titled(data: Mapping[str, Any]) -> dict[str, str]:
    """The table or field that is meant by its title, where it is still declared."""
    declared = in_force()
    if table := declared.all(CodeTable).get(str(data.get("table"))):
        return {"table": translate(table.title)}
    name, _, field = str(data.get("referred", "")).partition(".")
    resource = declared.all(Resource).get(name)
    if resource is None or field not in resource.fields:
        return {}
    return {"referred": f"{translate(resource.title)} · {translate(resource.fields[field].title)}"}


def _end(value: Any) -> Any:
    """`0.0` is how a bound of a decimal is kept, and 0 how people write it."""
    if value is None:
        return translate("不限")
    return int(value) if isinstance(value, float) and value.is_integer() else value
