"""The state machine of one rule on one thing, in event time. Pure: no clock, no database.

Each step takes one observation, in whatever order it arrives, and gives the transitions of alarms. The state keeps a sorted buffer as long as the
rule looks back, so late data are put where they belong and the buffer is judged anew; what had been said and no longer holds is `corrected` or
`withdrawn`, never silently undone. Data later than the buffer reaches are counted and change nothing.

Times are Unix microseconds. An observation covers [start, end); windows are (t-w, t] over ends.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from haitang.hub.data.rules.condition import Condition, Series, Truth

_WORST = {"live": 0, "replay": 1, "simulated": 2}


@dataclass(frozen=True)
class Definition:
    """A rule, compiled. `hold`: the `for` duration; `gap`: the longest hole that does not start it anew; `horizon`: how late data may be."""

    when: Condition
    until: Condition
    hold: int
    gap: int
    horizon: int

    @property
    def context(self) -> int:
        """How far before an observation its conditions look."""
        return max(self.when.lookback, self.until.lookback) + self.gap


class Entry(NamedTuple):
    """One observation; `value` None when it is missing or invalid. `when` and `until` are what the conditions said at it."""

    start: int
    end: int
    value: float | None
    received: int
    origin: str
    when: Truth = None
    until: Truth = None


class Core(NamedTuple):
    """Where the machine stands: `since`/`last`, the covered stretch in which `when` holds; `opened`, the running alarm."""

    since: int | None = None
    last: int = 0
    origin: str = "live"
    opened: int | None = None
    value: float | None = None


@dataclass
class Episode:
    """One alarm from opening to clearing; `key` (its first opening) names it for good, even when late data move it."""

    key: int
    opened: int
    value: float | None
    origin: str
    cleared: int | None = None
    cleared_value: float | None = None

    def overlaps(self, other: "Episode") -> bool:
        mine, theirs = self.cleared, other.cleared
        return (theirs is None or self.opened <= theirs) and (mine is None or other.opened <= mine)


@dataclass(frozen=True)
class Transition:
    """What happened to an alarm; `episode` is how it stands afterwards."""

    kind: Literal["opened", "cleared", "corrected", "withdrawn"]
    episode: Episode


@dataclass
class State:
    """The memory of one rule on one thing. `base` is the machine before `buffer[folded]`, `head` after the whole buffer."""

    buffer: list[Entry] = field(default_factory=list)
    folded: int = 0
    base: Core = field(default_factory=Core)
    head: Core = field(default_factory=Core)
    episodes: list[Episode] = field(default_factory=list)
    too_late: int = 0

    def to_json(self) -> dict[str, Any]:
        episodes = [[e.key, e.opened, e.value, e.origin, e.cleared, e.cleared_value] for e in self.episodes]
        return {
            "buffer": self.buffer,
            "folded": self.folded,
            "base": self.base,
            "head": self.head,
            "episodes": episodes,
            "too_late": self.too_late,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "State":
        return cls([Entry(*e) for e in kept["buffer"]], kept["folded"], Core(*kept["base"]), Core(*kept["head"]),
                   [Episode(*e) for e in kept["episodes"]], kept["too_late"])  # fmt: skip


class Buffered(Series):
    """The series of a buffer. Most conditions ask for the newest value alone, so the lists behind windows are made only when a window is asked for."""

    __slots__ = ("_buffer",)

    def __init__(self, buffer: list[Entry], reach: int) -> None:
        super().__init__((), (), reach)
        self._buffer = buffer

    @property
    def value(self) -> float | None:
        return self._buffer[self.at].value

    def prepared(self) -> Series:
        if not self.ends:
            self.ends, self.values = [e.end for e in self._buffer], [e.value for e in self._buffer]
        return self


def step(definition: Definition, state: State, entry: Entry) -> list[Transition]:
    """Take one observation into `state` and say what it changes."""
    buffer = state.buffer
    if buffer and entry.end <= buffer[-1].end - definition.horizon:
        state.too_late += 1
        return []
    place = bisect_left(buffer, (entry.end, entry.start), key=lambda e: (e.end, e.start))
    if place == len(buffer):
        buffer.append(entry)
        found = _append(definition, state)
    elif (buffer[place].start, buffer[place].end) != (entry.start, entry.end):
        buffer.insert(place, entry)
        found = _rerun(definition, state, place)
    elif _rank(entry) > _rank(buffer[place]):
        buffer[place] = entry
        found = _rerun(definition, state, place)
    else:
        return []
    _fold(definition, state)
    return found


def _rank(entry: Entry) -> tuple[int, bool, float]:
    """Which of two observations of one period counts: the one received later."""
    return (entry.received, entry.value is None, entry.value or 0.0)


def _judge(definition: Definition, buffer: list[Entry], first: int) -> None:
    """Ask the conditions at every entry from `first` on."""
    series = Buffered(buffer, definition.gap)
    for i in range(first, len(buffer)):
        start, end, value, received, origin, _, _ = buffer[i]
        if value is not None:
            series.at = i
            buffer[i] = Entry(start, end, value, received, origin, definition.when.evaluate(series), definition.until.evaluate(series))


def advance(definition: Definition, core: Core, entry: Entry) -> Core:
    """The machine after one judged observation. A missing value, or a condition that nothing can be said about, changes nothing."""
    if entry.value is None:
        return core
    if core.opened is not None:
        return Core() if entry.until else core
    if entry.when is None:
        return core
    if not entry.when:
        return Core()
    anew = core.since is None or entry.start - core.last > definition.gap
    since = entry.start if anew or core.since is None else core.since
    origin = entry.origin if anew else max(core.origin, entry.origin, key=lambda o: _WORST.get(o, 2))
    if entry.end - since >= definition.hold:
        return Core(since, entry.end, origin, entry.end, entry.value)
    return Core(since, entry.end, origin)


def _append(definition: Definition, state: State) -> list[Transition]:
    _judge(definition, state.buffer, len(state.buffer) - 1)
    before, entry = state.head, state.buffer[-1]
    state.head = advance(definition, before, entry)
    if before.opened is None and state.head.opened is not None:
        state.episodes.append(_episode(state.head, {e.key for e in state.episodes}))
        return [Transition("opened", state.episodes[-1])]
    if before.opened is not None and state.head.opened is None:
        episode = state.episodes[-1]
        episode.cleared, episode.cleared_value = entry.end, entry.value
        return [Transition("cleared", episode)]
    return []


def _episode(core: Core, taken: set[int]) -> Episode:
    assert core.opened is not None
    key = core.opened
    while key in taken:
        key += 1
    return Episode(key, core.opened, core.value, core.origin)


def _rerun(definition: Definition, state: State, place: int) -> list[Transition]:
    """Judge the buffer anew from `place` and compare with what had been said."""
    _judge(definition, state.buffer, place)
    core, history = state.base, []
    if core.opened is not None:
        history.append(Episode(core.opened, core.opened, core.value, core.origin))
    for entry in state.buffer[state.folded :]:
        before, core = core, advance(definition, core, entry)
        if before.opened is None and core.opened is not None:
            history.append(Episode(core.opened, core.opened, core.value, core.origin))
        elif before.opened is not None and core.opened is None:
            history[-1].cleared, history[-1].cleared_value = entry.end, entry.value
    state.head = core
    return _reconcile(state, history)


def _reconcile(state: State, history: list[Episode]) -> list[Transition]:
    """Carry keys over from the episodes already told to those that now hold; tell the difference."""
    told, taken = list(state.episodes), {e.key for e in state.episodes}
    found: list[Transition] = []
    for episode in history:
        same = next((e for e in told if e.overlaps(episode)), None)
        if same is None:
            while episode.key in taken:
                episode.key += 1
            taken.add(episode.key)
            found += [Transition("opened", episode)] + [Transition("cleared", episode)] * (episode.cleared is not None)
            continue
        told.remove(same)
        episode.key = same.key
        if episode != same:
            ended = same.cleared is None and episode.cleared is not None and (same.opened, same.value) == (episode.opened, episode.value)
            found.append(Transition("cleared" if ended else "corrected", episode))
    state.episodes = history
    return [Transition("withdrawn", e) for e in told] + found


def _fold(definition: Definition, state: State) -> None:
    """Take into `base` what can no longer change, and forget what nothing looks back at."""
    buffer = state.buffer
    cutoff = buffer[-1].end - definition.horizon
    while buffer[state.folded].end <= cutoff:
        state.base = advance(definition, state.base, buffer[state.folded])
        state.folded += 1
    forget = 0
    while forget < state.folded and buffer[forget].end <= cutoff - definition.context:
        forget += 1
    if forget:
        del buffer[:forget]
        state.folded -= forget
    if len(state.episodes) > 1 or (state.episodes and state.episodes[0].cleared is not None):
        state.episodes = [e for e in state.episodes if e.cleared is None or e.cleared > cutoff]
