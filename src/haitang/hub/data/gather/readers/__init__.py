"""Readers: a file of any of the usual formats as chunks of text columns (`readers.types`).

def read(path: Path, layout: Layout | None = None, start: Position | None = None) -> Iterator[Chunk]
"""

from haitang.hub.data.gather.readers.reading import preview, read

__all__ = ["preview", "read"]
