"""Readers: a file of any of the usual formats as chunks of text columns (`readers.types`).

def read(path: Path, *, layout: Layout, start: Position | None) -> Iterator[Chunk]
"""
