"""Silence: the state machine of a rule `when: silent` on one thing. Time here is when something was received, in Unix microseconds.

A thing that has never been heard of is not silent: it has not begun.
"""

from dataclasses import dataclass
from typing import Any

from haitang.hub.data.rules.machine import Episode, Transition


@dataclass
class Silence:
    """When the thing was last heard, and the running alarm."""

    seen: int | None = None
    origin: str = "live"
    episode: Episode | None = None

    def to_json(self) -> dict[str, Any]:
        e = self.episode
        return {"seen": self.seen, "origin": self.origin, "episode": [e.key, e.opened, e.value, e.origin] if e else None}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Silence":
        return cls(kept["seen"], kept["origin"], Episode(*kept["episode"]) if kept["episode"] else None)


def heard(state: Silence, at: int, origin: str) -> list[Transition]:
    """The thing sent something at `at`."""
    if state.seen is not None and at <= state.seen:
        return []
    state.seen, state.origin = at, origin
    if state.episode is None or at < state.episode.opened:
        return []
    ended, state.episode = state.episode, None
    ended.cleared = at
    return [Transition("cleared", ended)]


def tick(state: Silence, now: int, after: int, listening: int = 0) -> list[Transition]:
    """It is `now`, and everything received until now has been `heard`; `after` is how long a silence must last.

    `listening`: since when we listen. While we were away nothing could be heard, so that time does not count.
    """
    if state.seen is None or state.episode is not None:
        return []
    opened = max(state.seen, listening) + after
    if now < opened:
        return []
    state.episode = Episode(opened, opened, None, state.origin)
    return [Transition("opened", state.episode)]
