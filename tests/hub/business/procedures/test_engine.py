"""State and deadlines from the log alone."""

import pytest

from haitang.hub.business.procedures import events as e
from haitang.hub.business.procedures.decide import Allowed, Refused
from haitang.hub.business.procedures.engine import replay
from haitang.hub.business.procedures.events import Event
from haitang.hub.business.procedures.ticks import ticks
from haitang.support.standards.calendar import local_day
from tests.hub.business.procedures.rehearsed import HANDLER, VERIFIER, at, begun, calendar, dispatched, procedure, who


def codes(verdict: object) -> set[str]:
    return verdict.codes if isinstance(verdict, Refused) else set()


def test_each_stage_has_its_own_limit_and_the_whole_the_legal_one() -> None:
    state = dispatched("2026-11-23 17:00").state
    assert state.stage_due
    assert state.legal_due
    assert (state.stage_due.at, state.legal_due.at) == (at("2026-11-24 12:00"), at("2026-11-25 18:00"))


@pytest.mark.parametrize(("start", "basis"), [("2026-05-31 23:59", "旧规"), ("2026-06-01 00:00", "新规")])
def test_the_limit_in_force_on_the_day_of_the_start_counts(start: str, basis: str) -> None:
    limit = begun(start).state.legal_limit
    assert limit
    assert limit.basis == basis


def test_a_refusal_gives_every_reason() -> None:
    assert codes(begun().move("handle", VERIFIER, at("2026-11-23 09:05"))) == {"other_stage", "role"}


@pytest.mark.parametrize(
    ("actor", "expected"),
    [(HANDLER, set()), (who("sun", "handler", organization="water"), {"other_organization"}), (who("sun"), {"role"})],
)
def test_only_the_assigned_organization_handles(actor, expected) -> None:  # type: ignore[no-untyped-def]
    assert codes(dispatched().move("handle", actor, at("2026-11-23 10:00"))) == expected


def test_the_latest_maker_counts_for_separation_of_duties() -> None:
    first, second = who("a", "handler", "verifier"), who("b", "handler", "verifier")
    run = dispatched()
    run.move("handle", first, at("2026-11-23 10:00"))
    assert codes(run.move("accept", first, at("2026-11-23 10:01"))) == {"own_work"}
    run.move("return", second, at("2026-11-23 10:02"))
    run.move("handle", second, at("2026-11-23 10:03"))
    assert codes(run.move("accept", second, at("2026-11-23 10:04"))) == {"own_work"}
    assert run.move("accept", first, at("2026-11-23 10:05")) == Allowed()


def test_ended_is_final() -> None:
    run = dispatched()
    run.move("handle", HANDLER, at("2026-11-23 10:00"))
    run.move("accept", VERIFIER, at("2026-11-23 11:00"))
    assert run.state.on_time
    assert codes(run.move("return", VERIFIER, at("2026-11-23 12:00"))) == {"ended", "other_stage"}


def test_a_pause_stops_both_clocks_and_every_move() -> None:
    run = dispatched()
    run.pause("waiting", HANDLER, at("2026-11-23 10:00"))
    assert codes(run.move("handle", HANDLER, at("2026-11-23 10:30"))) == {"paused"}
    run.resume(HANDLER, at("2026-11-23 11:00"))
    state = run.state
    assert state.stage_due
    assert state.legal_due
    assert (state.stage_due.at, state.legal_due.at) == (at("2026-11-23 16:00"), at("2026-11-26 10:00"))


def test_a_pause_ends_by_itself_at_its_moment_however_late_the_platform_looks() -> None:
    run = dispatched()
    run.pause("waiting", HANDLER, at("2026-11-23 10:00"))
    assert run.move("handle", HANDLER, at("2026-11-27 10:00")) == Allowed()
    assert run.events[-2].what == e.Resumed(automatic=True)
    assert run.events[-2].at == at("2026-11-24 18:00")


def test_an_extension_is_asked_by_one_and_approved_by_another() -> None:
    run = dispatched()
    assert codes(run.ask_extension("3 working days", HANDLER, at("2026-11-23 10:00"))) == {"extension_too_long"}
    run.ask_extension("1 working day", HANDLER, at("2026-11-23 10:00"))
    assert codes(run.ask_extension("1 working day", HANDLER, at("2026-11-23 10:01"))) == {"already_asked"}
    assert codes(run.decide_extension(True, HANDLER, at("2026-11-23 10:02"))) == {"own_request"}
    run.decide_extension(True, who("chen", "head"), at("2026-11-23 10:03"))
    assert run.state.legal_due
    assert run.state.legal_due.at == at("2026-11-26 18:00")
    assert codes(run.ask_extension("1 working day", HANDLER, at("2026-11-23 10:04"))) == {"extensions_used"}


def test_a_refused_extension_moves_nothing() -> None:
    run = dispatched()
    before = run.state.legal_due
    run.ask_extension("1 working day", HANDLER, at("2026-11-23 10:00"))
    run.decide_extension(False, who("chen", "head"), at("2026-11-23 10:03"))
    assert run.state.legal_due == before


def test_publishing_a_calendar_moves_what_it_touches() -> None:
    run = begun("2026-12-31 10:00")
    provisional = run.state
    assert provisional.provisional
    assert run.replayed(calendar(2026, 2027)).provisional is False
    unpublished = calendar(2025)
    assert begun("2026-09-30 10:00").state.legal_due != begun("2026-09-30 10:00").replayed(unpublished).legal_due


def test_a_run_goes_on_under_its_own_release_until_it_is_migrated() -> None:
    old, new = (
        procedure(),
        procedure(stages={**procedure().model_dump(by_alias=True)["stages"], "working": {"title": "处置中", "within": "8 working hours"}}),
    )
    definitions = {"r1": old, "r2": new}.__getitem__
    log = [
        Event(1, at("2026-11-23 09:00"), "system:x", "x", None, "r1", e.Started("trial", "filed")),
        Event(2, at("2026-11-23 09:05"), "staff:li", "li", None, "r2", e.Moved("dispatch", "filed", "dispatched", {}, "ecology")),
    ]
    before = replay(lambda release, name: definitions(release), log, calendar())
    migrated = Event(3, at("2026-11-23 12:00"), "system:x", "x", None, "r2", e.Migrated("dispatched", "working"))
    after = replay(lambda release, name: definitions(release), [*log, migrated], calendar())
    assert (before.release, before.stage) == ("r1", "dispatched")
    assert (after.release, after.stage, after.entered_at) == ("r2", "working", before.entered_at)


def test_events_survive_their_json() -> None:
    run = dispatched()
    run.pause("waiting", HANDLER, at("2026-11-23 10:00"))
    run.ask_extension("1 working day", HANDLER, at("2026-11-23 10:00"))
    assert [e.from_json(e.to_json(event.what)) for event in run.events] == [event.what for event in run.events]


def test_an_event_of_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 9"):
        e.from_json({"kind": "resumed", "v": 9})


def test_reminders_come_before_and_escalations_after_each_deadline() -> None:
    found = [(tick.at, tick.kind, tick.which) for tick in ticks(dispatched().state, calendar())]
    assert found == [
        (at("2026-11-23 14:00"), "due_soon", "stage"),
        (at("2026-11-23 16:00"), "overdue", "stage"),
        (at("2026-11-25 17:00"), "due_soon", "legal"),
        (at("2026-11-26 10:00"), "overdue", "legal"),
    ]


def test_a_reminder_longer_than_its_limit_is_not_given() -> None:
    assert [tick.kind for tick in ticks(begun().state, calendar()) if tick.which == "stage"] == ["overdue"]


def test_the_day_of_the_start_is_chinas() -> None:
    assert str(local_day(at("2026-06-01 00:30"))) == "2026-06-01"
