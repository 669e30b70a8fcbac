"""The records behind an indicator, under headings and with values that a reader knows."""

from typing import Any

import duckdb
from django.utils.html import format_html

from haitang.base import clock
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.base.shell.words import ORIGINS, STATES, phrase
from haitang.base.text import T, translate
from haitang.hub.business.cases.kinds import CaseType
from haitang.hub.business.procedures.kinds import Procedure
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.indicators import queries
from haitang.hub.data.indicators.kinds import Indicator

# The lake's table of cases has more columns than a reader needs; the case itself is one click away.
CASE_HEADS = {
    "number": T("编号"),
    "title": T("事项"),
    "kind": T("类型"),
    "severity": T("级别"),
    "stage": T("环节"),
    "organization": T("办理单位"),
    "opened_at": T("立案时间"),
    "due_at": T("办结期限"),
    "closed_at": T("结案时间"),
    "closed_on_time": T("按期结案"),
    "origin": T("数据性质"),
}


def behind(id: str, dimension: str, member: str, titles: dict[str, str]) -> dict[str, Any]:
    """Title, headings and rows of the newest records; `titles`: id -> title of things and organizations."""
    declared = in_force().get(Indicator, id)
    try:
        rows = queries.records(id, dimension=dimension, member=member, limit=30)
    except (HaitangError, duckdb.Error):
        rows = []
    if declared.records == "cases":
        return _cases(rows, titles)
    source = in_force().all(Derive).get(declared.records)
    named = source.titles if source else {}
    heads = list(named) if named else list(rows[0]) if rows else []
    return {
        "title": source.title if source else declared.records,
        "url": f"/derivations/{source.id}" if source else "",
        "heads": [named.get(head, head) for head in heads],
        "rows": [[_text(row.get(head), titles) for head in heads] for row in rows],
    }


def _cases(rows: list[dict[str, Any]], titles: dict[str, str]) -> dict[str, Any]:
    words = titles | _words()
    heads = [head for head in CASE_HEADS if not rows or head in rows[0]]
    shown = [[_cell(head, row.get(head), words) for head in heads] for row in rows]
    return {"title": T("案件"), "heads": [CASE_HEADS[head] for head in heads], "rows": shown}


def _words() -> dict[str, str]:
    """Titles of the levels, origins, stages and types that a case may have."""
    found = STATES | ORIGINS | {"live": T("实时数据")}
    for procedure in in_force().all(Procedure).values():
        found |= {name: stage.title for name, stage in procedure.stages.items()}
    return found | {name: kind.title for name, kind in in_force().all(CaseType).items()}


def _cell(head: str, value: Any, words: dict[str, str]) -> str:
    if head == "number":
        return format_html('<a href="/cases/{}">{}</a>', value, value)
    return phrase(str(value)) if head == "title" and value else _text(value, words)


def _text(value: Any, titles: dict[str, str]) -> str:
    if value is None:
        return "—"
    if hasattr(value, "hour"):
        return f"{value.astimezone(clock.CHINA):%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return translate("是") if value else translate("否")
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return translate(titles.get(str(value), str(value)))
