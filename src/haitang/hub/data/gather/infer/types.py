"""What looking at a file proposes."""

from dataclasses import dataclass, field

from haitang.base.text import Saying
from haitang.hub.data.gather.infer.columns import Column


@dataclass
class Point:
    """Two columns that make a point, and the system that is proposed for it."""

    longitude: Column
    latitude: Column
    system: str
    doubt: Saying | None


@dataclass
class Proposal:
    """What is proposed. `files`: relative path -> text of a declaration; `doubts`: what concerns the whole."""

    id: str
    title: str
    columns: list[Column]
    key: list[str]
    rows: int
    whole: bool
    point: Point | None = None
    doubts: list[Saying] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    mapping: dict[str, str | list[str]] = field(default_factory=dict)  # field -> heading(s)
