"""What happens to a run. The log of these events is the truth; state and deadlines are derived from it.

Events are kept as versioned JSON for as long as records must be kept, so a field is only ever added, with a default; a change of meaning gets a
new version and a reader for the old one.
"""

from datetime import datetime
from typing import Any

import msgspec

VERSION = 1


class Started(msgspec.Struct, frozen=True, tag="started", tag_field="kind"):
    """The run begins in `stage`. The release of this event governs the run until a `Migrated`. `organization`: to whom it is addressed.

    `facts`: the values of registered words (`case.severity`) from the start.
    """

    procedure: str
    stage: str
    organization: str | None = None
    facts: dict[str, Any] = {}


class Moved(msgspec.Struct, frozen=True, tag="moved", tag_field="kind"):
    """A move was made. `organization` and `person` are set where the move assigns; `automatic` when it went by itself."""

    move: str
    source: str
    to: str
    answers: dict[str, Any] = {}
    organization: str | None = None
    person: str | None = None
    automatic: bool = False


class Answered(msgspec.Struct, frozen=True, tag="answered", tag_field="kind"):
    """One of those who must answer before `move` is made has answered, for `part`. The answer of the last one is followed by its `Moved`."""

    move: str
    part: str
    answers: dict[str, Any] = {}


class Paused(msgspec.Struct, frozen=True, tag="paused", tag_field="kind"):
    """The clocks stop for a declared `reason`, at most until `until`."""

    reason: str
    until: datetime
    note: str = ""


class Resumed(msgspec.Struct, frozen=True, tag="resumed", tag_field="kind"):
    """The clocks run again; `automatic` when `at most` was reached."""

    automatic: bool = False


class ExtensionAsked(msgspec.Struct, frozen=True, tag="extension_asked", tag_field="kind"):
    """An extension of the legal deadline by `within` (a limit as written) is asked for."""

    within: str
    reason: str


class ExtensionDecided(msgspec.Struct, frozen=True, tag="extension_decided", tag_field="kind"):
    """The extension asked for is approved or refused."""

    approved: bool
    reason: str = ""


class Remarked(msgspec.Struct, frozen=True, tag="remarked", tag_field="kind"):
    """A remark on the timeline; it moves nothing. `code` tells remarks of the platform apart (`cause_cleared`).

    `facts`: registered words that have another value from here on.
    """

    text: str
    code: str = ""
    data: dict[str, Any] = {}
    facts: dict[str, Any] = {}


class HandedOver(msgspec.Struct, frozen=True, tag="handed_over", tag_field="kind"):
    """What was given to one person is another's from here on: the one before was transferred, left, or let it go."""

    person: str
    before: str


class Migrated(msgspec.Struct, frozen=True, tag="migrated", tag_field="kind"):
    """The run goes on under the release of this event; its stage became `stage` by that release's `stage_map`."""

    source: str
    stage: str


What = Started | Moved | Answered | Paused | Resumed | ExtensionAsked | ExtensionDecided | Remarked | HandedOver | Migrated


class Event(msgspec.Struct, frozen=True):
    """One entry of the log: its number in the run (from 1), when, who, under which release, what."""

    number: int
    at: datetime
    actor: str
    name: str
    organization: str | None
    release: str
    what: What
    on_behalf_of: str = ""

    @property
    def kind(self) -> str:
        return kind_of(self.what)


def to_json(what: What) -> dict[str, Any]:
    """What happened, as JSON values with the version of its shape."""
    data: dict[str, Any] = msgspec.to_builtins(what)
    return {**data, "v": VERSION}


def from_json(data: dict[str, Any]) -> What:
    """The inverse of `to_json`."""
    if data.get("v") != VERSION:
        raise ValueError(f"event version {data.get('v')!r} is unknown to this release")
    found: What = msgspec.convert(data, What)
    return found


def kind_of(what: What) -> str:
    """The word of an event: started, moved, ..."""
    return str(type(what).__struct_config__.tag)
