"""JSON: an array of objects, one object a line, or an array within an object. Large arrays are read as a stream.

Objects within a record become columns with a dotted name; arrays become JSON text. Numbers are given as they are written.
"""

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from haitang.hub.data.gather import faults
from haitang.hub.data.gather.readers import encoding
from haitang.hub.data.gather.readers.chunks import Tally, as_json, columns_of, judged
from haitang.hub.data.gather.readers.json_stream import WHOLE, Record, Stream, inside, records_within
from haitang.hub.data.gather.readers.judging import Judge
from haitang.hub.data.gather.readers.opened import Opened
from haitang.hub.data.gather.readers.types import HEADER, Broken, Chunk, Layout, Position

_CHUNK = 16_384  # records of a chunk
_LOOKED_AT = 2_000  # records whose keys are the headings
_DESCRIBES = "字段中文名"  # an open data platform of Chongqing puts the titles of the fields into the first record


def read_json(path: Path, layout: Layout, start: Position | None = None) -> Iterator[Chunk]:
    """The records as chunks; `line` is the number of the record from 1."""
    names = layout.columns or _names(path, layout)
    judge = Judge([], ())
    tally = Tally(start["file_rows"], dict(start["left_out"])) if start else Tally()
    total = path.stat().st_size
    with Opened(path) as file:
        records = _records(file, layout)
        for _ in range(tally.file_rows):
            next(records, None)
        ahead = _taken(records)
        while True:
            taken, ahead = ahead, _taken(records) if ahead else []
            done = not ahead
            yield _chunk(taken, names, judge, tally, (total if done else file.read_bytes, total), done)
            if done:
                return


def _taken(records: Iterator[Record]) -> list[Record]:
    return [record for _, record in zip(range(_CHUNK), records, strict=False)]


def _records(file: Opened, layout: Layout) -> Iterator[Record]:
    """Records of the file from its beginning."""
    with Opened(file.path) as looked:
        decoding = encoding.detect(looked, layout.encoding)
    file.read(decoding.mark)
    stream = Stream(file, codecs.getincrementaldecoder(decoding.encoding)("replace"))
    first = stream.peek()
    if first == "[" and not layout.records:
        return stream.array()
    if first == "{" and not layout.records and stream.is_lines():
        return stream.lines()
    if layout.records and layout.records != "*":
        return stream.array_at(layout.records.split("."))
    if first not in ("[", "{"):
        raise faults.NOT_JSON(line=1, why=f"以 {first!r} 开头" if first else "文件是空的")
    whole = stream.whole(WHOLE)
    return records_within(whole, layout.records)


def _names(path: Path, layout: Layout) -> list[str]:
    """Keys of the first records, in the order in which they come up."""
    names: dict[str, None] = {}
    with Opened(path) as file:
        for record, _ in zip(_records(file, layout), range(_LOOKED_AT), strict=False):
            if isinstance(record.value, dict):
                names.update(dict.fromkeys(inside(record.value)))
    if not names:
        raise faults.NO_ROWS(name=path.name)
    return list(names)


def _chunk(records: Sequence[Record], names: Sequence[str], judge: Judge, tally: Tally, read: tuple[int, int], done: bool) -> Chunk:
    rows: list[list[str | None]] = []
    lines: list[int] = []
    texts: list[str] = []
    broken: list[Broken] = []
    known = set(names)
    for record in records:
        tally.file_rows += 1
        flat = inside(record.value) if isinstance(record.value, dict) else {}
        if flat and all(isinstance(value, str) and value.startswith(_DESCRIBES) for value in flat.values()):
            tally.leave(HEADER)
            continue
        reason = record.reason or ("" if isinstance(record.value, dict) else faults.NOT_RECORD)
        reason = reason or (faults.NEW_KEY if flat.keys() - known else "")
        if reason:
            broken.append(Broken(tally.file_rows, record.text or as_json(record.value), (reason,)))
            continue
        rows.append([flat.get(name) for name in names])
        lines.append(tally.file_rows)
        texts.append(record.text or as_json(record.value))
    columns, line, kept = judged(columns_of(names, rows), np.array(lines, np.int64), judge, tally)

    def raw(places: Sequence[int]) -> list[str]:
        return [texts[kept[place]] for place in places]

    return Chunk(columns, line, broken, raw, tally.position(), tally.file_rows, *read, dict(tally.left_out), done)
