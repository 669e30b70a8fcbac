"""The rule machine against a brute-force reading of the whole series."""

import json
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from haitang.hub.data.rules.buffer import Buffer, Entry
from haitang.hub.data.rules.condition import Series, parse
from haitang.hub.data.rules.definition import contrary
from haitang.hub.data.rules.machine import Definition, Episode, State, step

HOUR = 3_600_000_000
CONDITIONS = ["value > 5", "mean(3h) > 5", "change(1h) > 2", "value > 5 and count(2h) >= 2", "max(2h) - min(2h) > 4"]


def define(when: str, until: str | None = None, hold: int = 0, gap: int = 1, horizon: int = 100) -> Definition:
    opening = parse(when)
    return Definition(opening, parse(until) if until else contrary(opening), hold * HOUR, gap * HOUR, horizon * HOUR, mirrored=not until)


def entry(hour: int, value: float | None, received: int = 0, origin: str = "live") -> Entry:
    return Entry(hour * HOUR, (hour + 1) * HOUR, value, received, origin)


def run(definition: Definition, entries: list[Entry], cuts: tuple[int, ...] | None = None) -> tuple[State, dict[int, Episode]]:
    """Feed entries, one by one or together between `cuts`; give the state and the alarms that stand after all that was told."""
    state, alarms = State(), dict[int, Episode]()
    for first, last in pairwise(range(len(entries) + 1) if cuts is None else cuts):
        for told in step(definition, state, *entries[first:last]):
            if told.kind == "withdrawn":
                del alarms[told.episode.key]
            else:
                alarms[told.episode.key] = told.episode
        state = State.from_json(json.loads(json.dumps(state.to_json())), Buffer.unpacked(state.buffer.packed()))
    return state, alarms


def periods(alarms: dict[int, Episode]) -> list[tuple[int, int | None]]:
    return sorted((e.opened // HOUR, e.cleared // HOUR if e.cleared else None) for e in alarms.values())


def brute_force(d: Definition, entries: list[Entry]) -> list[tuple[int, int | None]]:
    """Read the whole valid series hour by hour, each time looking back from scratch."""
    series = sorted((e for e in entries if e.value is not None), key=lambda e: e.end)
    ends, values = [e.end for e in series], [e.value for e in series]
    found: list[tuple[int, int | None]] = []
    begun, running = 0, False
    for i, e in enumerate(series):
        at = Series(ends, values, d.gap, i)
        if running:
            if d.until.evaluate(at):
                found[-1] = (found[-1][0], e.end // HOUR)
                running, begun = False, i + 1
            continue
        first = i
        for j in range(i, begun - 1, -1):
            truth = d.when.evaluate(Series(ends, values, d.gap, j))
            if truth is False or (truth and series[first].start - series[j].end > d.gap):
                break
            first = j if truth else first
        if d.when.evaluate(at) and e.end - series[first].start >= d.hold:
            found.append((e.end // HOUR, None))
            running = True
    return found


series = st.lists(st.one_of(st.none(), st.integers(0, 10)), min_size=1, max_size=14).map(
    lambda values: [entry(h, v) for h, v in enumerate(values)]
)
definitions = st.builds(define, st.sampled_from(CONDITIONS), st.sampled_from([None, "value < 3"]), st.integers(0, 3), st.integers(0, 2))


@given(definitions, series)
@settings(max_examples=300, deadline=None)
def test_equals_reading_the_whole_series(definition: Definition, entries: list[Entry]) -> None:
    assert periods(run(definition, entries)[1]) == brute_force(definition, entries)


@given(definitions, series, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_order_of_arrival_does_not_matter(definition: Definition, entries: list[Entry], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = random.sample(entries, len(entries))
    ordered, disordered = run(definition, entries), run(definition, shuffled)
    assert periods(ordered[1]) == periods(disordered[1])
    assert ordered[0].head == disordered[0].head


@given(definitions, series, st.randoms(use_true_random=False), st.sets(st.integers(1, 13)))
@settings(max_examples=300, deadline=None)
def test_what_comes_together_is_judged_as_if_it_came_one_by_one(
    definition: Definition, entries: list[Entry], random, cuts: set[int]
) -> None:  # type: ignore[no-untyped-def]
    shuffled = random.sample(entries, len(entries))
    together = run(definition, shuffled, (0, *sorted(cut for cut in cuts if cut < len(entries)), len(entries)))
    assert periods(together[1]) == brute_force(definition, entries)
    assert together[0].head == run(definition, entries)[0].head


@given(st.sampled_from(CONDITIONS), st.integers(0, 3), st.lists(st.one_of(st.none(), st.integers(0, 10)), min_size=60, max_size=120))
@settings(max_examples=60, deadline=None)
def test_a_long_series_is_forgotten_without_changing_what_is_said(when: str, hold: int, values: list[int | None]) -> None:
    entries = [entry(hour, value) for hour, value in enumerate(values)]
    definition = define(when, hold=hold, gap=2, horizon=4)
    state, alarms = run(definition, entries)
    assert periods(alarms) == brute_force(definition, entries)
    assert len(state.buffer) < 60


@given(st.builds(define, st.sampled_from(CONDITIONS), st.none(), st.integers(0, 3), st.integers(0, 2), st.integers(3, 5)), series)
@settings(max_examples=200, deadline=None)
def test_a_short_buffer_forgets_nothing_that_counts(definition: Definition, entries: list[Entry]) -> None:
    late = [e for pair in zip(entries[1::2], entries[0::2], strict=False) for e in pair] + entries[len(entries) // 2 * 2 :]
    state, alarms = run(definition, late)
    assert periods(alarms) == brute_force(definition, entries)
    assert state.too_late == 0


@given(definitions, series, st.integers(0, 13), st.one_of(st.none(), st.integers(0, 10)))
@settings(max_examples=200, deadline=None)
def test_a_value_sent_again_replaces_the_first(definition: Definition, entries: list[Entry], which: int, value: float | None) -> None:
    again = entry(which % len(entries), value, received=1)
    mended = [again if e.start == again.start else e for e in entries]
    assert periods(run(definition, [*entries, again])[1]) == brute_force(definition, mended)


def test_two_covered_hours_open_at_the_end_of_the_second() -> None:
    d = define("value > 115", "value < 105", hold=2)
    hours = [entry(8, 120), entry(9, 130), entry(10, None), entry(11, 118), entry(12, 104)]
    assert periods(run(d, hours)[1]) == [(10, 13)]


def test_a_longer_gap_starts_the_duration_anew() -> None:
    d = define("value > 5", hold=2)
    assert periods(run(d, [entry(8, 9), entry(11, 9)])[1]) == []
    assert periods(run(d, [entry(8, 9), entry(10, 9)])[1]) == [(11, None)]


def test_an_alarm_that_late_data_disprove_is_withdrawn_not_forgotten() -> None:
    d, state = define("value > 5", hold=3, gap=1), State()
    assert [t.kind for e in (entry(8, 9), entry(10, 9)) for t in step(d, state, e)] == ["opened"]
    assert [t.kind for t in step(d, state, entry(9, 1))] == ["withdrawn"]


def test_late_data_move_an_alarm_and_it_stays_the_same_one() -> None:
    d, state = define("mean(2h) > 5"), State()
    opened = [t for e in (entry(8, 1), entry(10, 9)) for t in step(d, state, e)]
    moved = step(d, state, entry(9, 11))
    assert [t.kind for t in moved] == ["corrected"]
    assert (moved[0].episode.key, moved[0].episode.opened) == (opened[0].episode.key, 10 * HOUR)


def test_data_older_than_the_buffer_are_counted_and_change_nothing() -> None:
    d, state = define("value > 5", horizon=2), State()
    for e in (entry(8, 1), entry(12, 1), entry(9, 9)):
        assert step(d, state, e) == []
    assert state.too_late == 1


def test_the_alarm_takes_the_worst_origin_of_what_raised_it() -> None:
    _, alarms = run(define("value > 5", hold=2), [entry(8, 9, origin="replay"), entry(9, 9)])
    assert next(iter(alarms.values())).origin == "replay"
