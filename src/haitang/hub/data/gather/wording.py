"""Runs in words."""

from haitang.base.text import T, translate
from haitang.hub.data.gather.models import Run

LEFT_OUT = {
    "blank": T("空行"), "header": T("表头"), "totals": T("合计行"), "title": T("标题行"), "note": T("说明行"), "repeated_header": T("重复的表头"),
    "other_sheet": T("其他工作表"), "hidden_sheet": T("隐藏的工作表"),
}  # fmt: skip
NOTES = {
    "unknown_keys": T("有隔离的行读不出主键，本次全量没有标记移除"),
    "empty_full": T("文件里没有数据行，本次全量没有标记移除"),
}


def left_out(run: Run) -> str:
    """What makes the rows of the file more than those that were read: `，比读取多 3 行：表头 1、空行 2`."""
    more = run.file_rows - run.read
    if not more:
        return ""
    parts = translate("、").join(f"{translate(LEFT_OUT.get(word, word))} {count}" for word, count in run.left_out.items() if count)
    return translate("，比读取多 {more} 行：{parts}", more=more, parts=parts)


def note(word: str) -> str:
    return translate(NOTES.get(word, word))
