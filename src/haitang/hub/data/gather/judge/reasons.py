"""Why a row is quarantined: a word, with the sentence that a person reads.

A reason is kept as {field, code, ...data}; `said` makes the sentence in the reader's language.
"""

from collections.abc import Mapping
from typing import Any

from haitang.base.text import T, translate

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
    if "type" in data:
        data["type"] = translate(str(data["type"]))
    return translate(SENTENCES.get(str(reason["code"]), "{code}"), **data)


def _end(value: Any) -> Any:
    return translate("不限") if value is None else value
