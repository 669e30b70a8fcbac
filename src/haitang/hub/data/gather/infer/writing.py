"""The proposal as YAML, with a comment wherever a person should look."""

import json
import re

from haitang.base.text import Saying
from haitang.hub.data.gather.infer.columns import Column
from haitang.hub.data.gather.infer.types import Proposal

_PLAIN = re.compile(r"[A-Za-z\u4e00-\u9fff][\w\u4e00-\u9fff（）()、.]*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def resource_yaml(proposal: Proposal, tables: dict[str, str], provider: str | None) -> str:
    """A declaration of the kind `resource`."""
    lines = [
        f"# 由 haitang gather --infer 根据文件提议，{'全文' if proposal.whole else '开头'} {proposal.rows} 行。以“？”开头的注释请人核对。",
        *(f"# ？{doubt}" for doubt in proposal.doubts),
        f"title: {scalar(proposal.title)}",
        f"key: [{', '.join(proposal.key)}]",
        "# ？共享属性、依据和更新周期从数据里看不出，请填写；未填写时按有条件共享处理",
        "basis: 待来源单位填写",
        *([f"provider: {provider}"] if provider else []),
        "fields:",
    ]
    for column in proposal.columns:
        lines += _field(proposal, column, tables)
    return "\n".join(lines) + "\n"


def _field(proposal: Proposal, column: Column, tables: dict[str, str]) -> list[str]:
    point = proposal.point
    if point and column is point.latitude:
        return []
    if point and column is point.longitude:
        told = [f"  # ？{point.doubt}"] if point.doubt else []
        return [*told, f"  location: {{title: 位置, type: point, system: {point.system}}}"]
    parts = [f"title: {scalar(column.name.title)}"]
    if column.type != "text":
        parts.append(f"type: {column.type}")
    if column.required:
        parts.append("required: true")
    if column.digits is not None:
        parts.append(f"digits: {column.digits}")
    if column.name.unit:
        parts.append(f"unit: {scalar(column.name.unit)}")
    if column.level and column.type not in ("resident_id", "mobile"):
        parts.append(f"level: {column.level}")
    if table := tables.get(column.name.word):
        parts.append(f"code_table: {table}")
    for key, values in (("formats", column.formats), ("missing", column.missing)):
        if values:
            parts.append(f"{key}: [{', '.join(map(quoted, values))}]")
    if column.heading != column.name.title:
        parts.append(f"also: [{quoted(column.heading)}]")
    return [*(f"  # ？{doubt}" for doubt in doubts_of(column)), f"  {column.name.word}: {{{', '.join(parts)}}}"]


def doubts_of(column: Column) -> list[Saying]:
    """What a person should look at in a field, its name included."""
    return [*column.doubts, *([] if column.name.known else [Saying("字段名请改为英文单词")])]


def table_yaml(column: Column) -> str:
    """A declaration of the kind `code_table`: each value is its own code until somebody says better."""
    return (
        "\n".join(
            [
                "# ？由数据里出现过的取值提议，请核对是否齐全；有国家或行业标准代码的请改用标准代码",
                f"title: {scalar(column.name.title)}",
                "codes:",
                *(f"  {quoted(value)}: {quoted(value)}" for value in column.codes),
            ]
        )
        + "\n"
    )


def scalar(text: str) -> str:
    """Plain where YAML takes it for this text, else quoted."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else quoted(text)


def quoted(text: str) -> str:
    """A double-quoted scalar; JSON's is one of YAML's."""
    return json.dumps(text, ensure_ascii=False)
