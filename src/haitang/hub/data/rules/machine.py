"""The state machine of one rule on one thing, in event time. Pure: no clock, no database.

Each step takes observations, in whatever order they arrive, and gives the transitions of alarms. The state keeps a sorted buffer as long as the
rule looks back, so late data are put where they belong and the buffer is judged anew, once for all that came together; what had been said and no longer
holds is `corrected` or `withdrawn`, never silently undone. Data later than the buffer reaches are counted and change nothing.

Times are Unix microseconds. An observation covers [start, end); windows are (t-w, t] over ends.
"""

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from haitang.hub.data.rules.buffer import Buffer, Entry
from haitang.hub.data.rules.condition import Condition

_WORST = {"live": 0, "replay": 1, "simulated": 2}
_FORGET = 32  # entries; forgetting fewer at a time costs more than it frees


@dataclass(frozen=True)
class Definition:
    """A rule, compiled. `hold`: the `for` duration; `gap`: the longest hole that does not start it anew; `horizon`: how late data may be.

    `mirrored`: `until` is nothing but the contrary of `when`, and need not be asked.
    """

    when: Condition
    until: Condition
    hold: int
    gap: int
    horizon: int
    mirrored: bool = False

    @property
    def lookback(self) -> int:
        """How far before an observation the windows of its conditions reach."""
        return max(self.when.lookback, self.until.lookback)


class Core(NamedTuple):
    """Where the machine stands: `since`/`last`, the covered stretch in which `when` holds; `opened`, the running alarm."""

    since: int | None = None
    last: int = 0
    origin: str = "live"
    opened: int | None = None
    value: float | None = None


_IDLE = Core()


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

    buffer: Buffer = field(default_factory=Buffer)
    folded: int = 0
    base: Core = field(default_factory=Core)
    head: Core = field(default_factory=Core)
    episodes: list[Episode] = field(default_factory=list)
    too_late: int = 0

    def to_json(self) -> dict[str, Any]:
        """All but the buffer, which `Buffer.packed` keeps; `newest` is the end of its newest entry."""
        episodes = [[e.key, e.opened, e.value, e.origin, e.cleared, e.cleared_value] for e in self.episodes]
        return {
            "folded": self.folded, "base": self.base, "head": self.head, "episodes": episodes, "too_late": self.too_late,
            "newest": self.buffer.ends[-1] if self.buffer.ends else None,
        }  # fmt: skip

    @classmethod
    def from_json(cls, kept: dict[str, Any], buffer: Buffer) -> "State":
        return cls(
            buffer, kept["folded"], Core(*kept["base"]), Core(*kept["head"]), [Episode(*e) for e in kept["episodes"]], kept["too_late"]
        )


def step(definition: Definition, state: State, *entries: Entry) -> list[Transition]:
    """Take observations into `state` and say what they change."""
    buffer, found = state.buffer, list[Transition]()
    anew: int | None = None  # from where the buffer has to be judged anew
    for entry in entries:
        if buffer.ends and entry.end <= buffer.ends[-1] - definition.horizon:
            state.too_late += 1
            continue
        place = buffer.place(entry)
        if place == len(buffer):
            buffer.append(entry)
            if anew is None:
                found += _append(definition, state)
        elif not buffer.holds(place, entry):
            buffer.insert(place, entry)
            anew = place if anew is None else min(anew, place)
        elif _rank(entry.received, entry.value) > _rank(buffer.received[place], buffer.values[place]):
            buffer.replace(place, entry)
            anew = place if anew is None else min(anew, place)
    if anew is not None:
        found += _rerun(definition, state, anew)
    _fold(definition, state)
    return found


def _rank(received: int, value: float | None) -> tuple[int, bool, float]:
    """Which of two observations of one period counts: the one received later."""
    return (received, value is None, value or 0.0)


def _judge(definition: Definition, buffer: Buffer, first: int) -> None:
    """Ask the conditions at every entry from `first` on."""
    when, until, mirrored = definition.when.evaluate, definition.until.evaluate, definition.mirrored
    buffer.reach = definition.gap
    values, whens, untils = buffer.values, buffer.whens, buffer.untils
    for at in range(first, len(values)):
        if values[at] is not None:
            buffer.at = at
            whens[at] = truth = when(buffer)
            untils[at] = (None if truth is None else not truth) if mirrored else until(buffer)


def _advance(definition: Definition, core: Core, buffer: Buffer, at: int) -> Core:
    """The machine after one judged observation. A missing value, or a condition that nothing can be said about, changes nothing."""
    value = buffer.values[at]
    if value is None:
        return core
    if core.opened is not None:
        return _IDLE if buffer.untils[at] else core
    when = buffer.whens[at]
    if when is None:
        return core
    if not when:
        return _IDLE
    start, end, origin = buffer.starts[at], buffer.ends[at], buffer.origins[at]
    anew = core.since is None or start - core.last > definition.gap
    since = start if anew or core.since is None else core.since
    if not anew:
        origin = max(core.origin, origin, key=lambda o: _WORST.get(o, 2))
    if end - since >= definition.hold:
        return Core(since, end, origin, end, value)
    return Core(since, end, origin)


def _append(definition: Definition, state: State) -> list[Transition]:
    buffer, last = state.buffer, len(state.buffer) - 1
    _judge(definition, buffer, last)
    before = state.head
    state.head = _advance(definition, before, buffer, last)
    if before.opened is None and state.head.opened is not None:
        state.episodes.append(_episode(state.head, {e.key for e in state.episodes}))
        return [Transition("opened", replace(state.episodes[-1]))]
    if before.opened is not None and state.head.opened is None:
        episode = state.episodes[-1]
        episode.cleared, episode.cleared_value = buffer.ends[last], buffer.values[last]
        return [Transition("cleared", replace(episode))]
    return []


def _episode(core: Core, taken: set[int]) -> Episode:
    assert core.opened is not None
    key = core.opened
    while key in taken:
        key += 1
    return Episode(key, core.opened, core.value, core.origin)


def _rerun(definition: Definition, state: State, place: int) -> list[Transition]:
    """Judge the buffer anew from `place` and compare with what had been said."""
    buffer = state.buffer
    _judge(definition, buffer, place)
    core, history = state.base, list[Episode]()
    if core.opened is not None:
        history.append(Episode(core.opened, core.opened, core.value, core.origin))
    for at in range(state.folded, len(buffer)):
        before, core = core, _advance(definition, core, buffer, at)
        if before.opened is None and core.opened is not None:
            history.append(Episode(core.opened, core.opened, core.value, core.origin))
        elif before.opened is not None and core.opened is None:
            history[-1].cleared, history[-1].cleared_value = buffer.ends[at], buffer.values[at]
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
    cutoff = buffer.ends[-1] - definition.horizon
    while buffer.ends[state.folded] <= cutoff:
        state.base = _advance(definition, state.base, buffer, state.folded)
        state.folded += 1
    forget = _forgettable(definition, state, cutoff) if state.folded >= _FORGET else 0
    if forget >= _FORGET:
        buffer.forget(forget)
        state.folded -= forget
    if len(state.episodes) > 1 or (state.episodes and state.episodes[0].cleared is not None):
        state.episodes = [e for e in state.episodes if e.cleared is None or e.cleared > cutoff]


def _forgettable(definition: Definition, state: State, cutoff: int) -> int:
    """How many of the oldest nothing will ask for: windows end after `cutoff`, and `change` may reach to the newest value before its window."""
    ends, values = state.buffer.ends, state.buffer.values
    count = min(bisect_right(ends, cutoff - definition.lookback), state.folded)
    if definition.lookback:
        newest = count - 1
        while newest >= 0 and values[newest] is None:
            newest -= 1
        if newest >= 0 and ends[newest] > cutoff - definition.lookback - definition.gap:
            return newest
    return count
