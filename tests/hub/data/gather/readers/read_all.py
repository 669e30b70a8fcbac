"""Reads a file to its end and holds the reader to its promise: no row is lost."""

from dataclasses import dataclass, field
from pathlib import Path

from haitang.hub.data.gather.readers import read
from haitang.hub.data.gather.readers.types import Broken, Chunk, Layout, Position


@dataclass
class Whole:
    """Everything that a file gave."""

    names: list[str] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    file_rows: int = 0
    chunks: list[Chunk] = field(default_factory=list)

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(broken.line, broken.reasons[0]) for broken in self.broken]


def read_all(path: Path, layout: Layout | None = None, start: Position | None = None) -> Whole:
    whole = Whole()
    for chunk in read(path, layout, start):
        whole.names = chunk.columns.schema.names
        whole.rows += [list(row) for row in zip(*(column.to_pylist() for column in chunk.columns.columns), strict=True)]
        whole.lines += chunk.line.to_pylist()
        whole.raw += chunk.raw(range(chunk.columns.num_rows))
        whole.broken += chunk.broken
        whole.left_out, whole.file_rows = dict(chunk.left_out), chunk.file_rows
        whole.chunks.append(chunk)
        assert chunk.columns.num_rows == len(chunk.line)
        assert 0 <= chunk.read_bytes <= chunk.total_bytes
    last = whole.chunks[-1]
    assert last.done
    assert last.read_bytes == last.total_bytes
    if start is None:
        assert whole.file_rows == len(whole.rows) + len(whole.broken) + sum(whole.left_out.values())
    return whole
