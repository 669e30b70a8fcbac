"""What every kind's model is made of.

A kind is a pydantic model that inherits `Declaration`. Its fields say, by annotation, what the checker, the editor and the place may do with them:

- `Text`: zh-Hans for people, looked up in `locale/en.yaml`;
- `Annotated[str, Reference("rule")]`: the id of a declaration of that kind, resolved at check time;
- `Tunable()`: a place folder or an approved edit may set this key;
- `SpanText`, `LimitText`: durations as people write them (see base.durations), kept as written, with `.parse`-ed values by helpers below;
- `Word`: a short lower-case id.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, PrivateAttr, StringConstraints

from haitang.base.durations import parse_limit, parse_span


@dataclass(frozen=True)
class Reference:
    """Marks a string (or each string of a list, or each key or value of a mapping) as the id of a declaration of `kind`."""

    kind: str


@dataclass(frozen=True)
class Tunable:
    """Marks a key that a place or an approved edit may set. `why` tells the person who edits it what it changes."""

    why: str = ""


@dataclass(frozen=True)
class Translatable:
    """Marks text for people."""


def _span(text: str) -> str:
    parse_span(text)
    return text


def _limit(text: str) -> str:
    parse_limit(text)
    return text


Text = Annotated[str, StringConstraints(min_length=1), Translatable()]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
SpanText = Annotated[str, AfterValidator(_span)]
LimitText = Annotated[str, AfterValidator(_limit)]


@dataclass(frozen=True)
class Origin:
    """Where a declaration stands: the folder that declares it (an application, a place, a room) and its file."""

    owner: str
    file: Path
    provisional: bool = False


class Declaration(BaseModel):
    """One declaration. `id` is the file's stem (or the key in a file that holds several), never written inside."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    _id: str = PrivateAttr(default="")
    _origin: Origin | None = PrivateAttr(default=None)

    @property
    def id(self) -> str:
        return self._id

    @property
    def owner(self) -> str:
        """The application, place or room that declares it."""
        return self._origin.owner if self._origin else ""

    @property
    def provisional(self) -> bool:
        """Proposed by software from data and adopted by nobody yet: it says so wherever it is shown, and is published to nobody."""
        return self._origin is not None and self._origin.provisional

    @property
    def file(self) -> Path | None:
        return self._origin.file if self._origin else None
