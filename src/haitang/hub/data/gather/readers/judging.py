"""Which rows of a table are no data: blank ones, totals, notes, headings that a page break repeats."""

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from haitang.hub.data.gather.judge.cells import bytes_of
from haitang.hub.data.gather.readers.types import BLANK, NOTE, REPEATED_HEADER, TOTALS

_SPACE = re.compile(r"\s+")
_NOTE = re.compile(
    r"(?:注|备注|附注|说明|数据来源|资料来源|填报单位|填报人|填表人|制表人?|审核人?|填报日期|打印日期|单位负责人)[^:：]{0,6}[:：]"
)
_BRACKETS = re.compile(r"[(（][^)）]*[)）]$")


class Judge:
    """Knows the headings and the words that begin a row of totals."""

    def __init__(self, header: Sequence[Sequence[str]], totals: Sequence[str]) -> None:
        self._header = {_trimmed([_compact(cell) for cell in row]) for row in header}
        self._first = {row[0] for row in self._header if row}
        self._totals = {_compact(word) for word in totals}

    def word(self, cells: Sequence[str | None]) -> str:
        """Why the row is none of data, or an empty text."""
        told = [_compact(cell or "") for cell in cells]
        filled = [cell for cell in told if cell]
        if not filled:
            return BLANK
        if _trimmed(told) in self._header:
            return REPEATED_HEADER
        if _BRACKETS.sub("", filled[0].rstrip(":：")).rstrip(":：") in self._totals:
            return TOTALS
        few = len(filled) == 1 if len(told) > 1 else len(self._first) != 1
        return NOTE if (few or 2 * len(filled) <= len(told)) and _NOTE.match(filled[0]) else ""

    def _may_be(self, first: pa.Array) -> npt.NDArray[np.bool_]:
        """Which cells are empty, or begin with the byte with which something suspicious begins."""
        text, offsets = bytes_of(first)
        if not len(text):
            return np.ones(len(first), bool)
        may: npt.NDArray[np.bool_] = self._begins[text[np.minimum(offsets[:-1], len(text) - 1)]] | (offsets[1:] == offsets[:-1])
        return may

    @cached_property
    def _begins(self) -> npt.NDArray[np.bool_]:
        found = np.zeros(256, bool)
        white = (*range(33), 0xC2, 0xE2, 0xE3)  # ASCII, or the first byte of another one
        found[[*white, *(word.encode()[0] for word in self._words)]] = True
        return found

    @cached_property
    def _words(self) -> list[str]:
        return sorted({*self._totals, *(first for first in self._first if first), "注", "备注", "附注", "说明", "数据来源", "资料来源",
                       "填", "制表", "审核", "打印", "单位负责人"} - {""})  # fmt: skip

    @cached_property
    def _suspicious(self) -> str:
        spaced = (r"[\s　]*".join(re.escape(letter) for letter in word) for word in self._words)
        return rf"\A[\s　]*(?:\z|{'|'.join(spaced)})"

    def left_out(self, batch: pa.RecordBatch) -> tuple[npt.NDArray[np.bool_], dict[str, int]]:
        """A mask of the rows that are data, and how many are left out under which word. Only rows that begin suspiciously are looked at one by one."""
        keep = np.ones(batch.num_rows, bool)
        counts: dict[str, int] = {}
        if not batch.num_columns:
            return keep, counts
        first = batch.column(0)
        may = np.flatnonzero(self._may_be(first))
        if not len(may):
            return keep, counts
        some = first.take(pa.array(may))
        looked = pc.or_(pc.is_null(some), pc.fill_null(pc.match_substring_regex(some, self._suspicious), True))
        rows = may[looked.to_numpy(zero_copy_only=False)]
        few = batch.take(pa.array(rows)) if len(rows) else batch.slice(0, 0)
        for row, cells in zip(rows, zip(*(column.to_pylist() for column in few.columns), strict=True), strict=True):
            if word := self.word(cells):
                keep[row] = False
                counts[word] = counts.get(word, 0) + 1
        return keep, counts


def _compact(cell: str) -> str:
    return _SPACE.sub("", cell)


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    """Without empty cells at its end."""
    width = max((n for n, cell in enumerate(cells, 1) if cell), default=0)
    return tuple(cells[:width])
