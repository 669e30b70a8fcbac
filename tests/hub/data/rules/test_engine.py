"""From observations on the stream to alarms and cases, in one transaction."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from haitang.base import clock
from haitang.base.declarations import in_force, put_in_force
from haitang.base.errors import HaitangError
from haitang.hub.business.cases.models import Case
from haitang.hub.data.lake.buckets import micros
from haitang.hub.data.rules.engine import Engine
from haitang.hub.data.rules.models import Alarm, RuleState
from haitang.hub.data.rules.queries import open_alarms
from haitang.support.infrastructure.stream.messages import Batch, Observation
from haitang.support.infrastructure.things.models import MaintenanceWindow, Thing
from haitang.support.security.people.models import Organization
from tests.hub.data.shipped import shipped

EIGHT = datetime(2026, 3, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def engine(db: None) -> Iterator[Engine]:
    """What ships is in force; one station; 08:00 in China."""
    try:
        before = in_force()
    except Exception:
        before = None
    put_in_force(shipped())
    Organization.objects.create(id="ecology", title="区生态环境局", fills=["ecology_bureau"])
    Thing.objects.create(id="station", title="试验站", device="air_station", organization_id="ecology", division="", mn="x" * 24)
    with clock.frozen(EIGHT):
        yield Engine("stream-1")
    if before is not None:
        put_in_force(before)


def batch(hour: int, pm2_5: float | None, *, quality: str = "flag:N", origin: str = "live") -> Batch:
    """One hour mean of the station, received when its hour ends."""
    start, end = micros(EIGHT + hour * HOUR), micros(EIGHT + (hour + 1) * HOUR)
    observed = Observation("500111", "station", "pm2_5", "mean", start, end, "ug/m3", quality, origin, "t", end, number=pm2_5)  # type: ignore[arg-type]
    return Batch(f"b{hour}", "hj212", end, "", [observed])


def feed(engine: Engine, *values: float | None, first: int = 0) -> None:
    engine.take([(first + i + 1, batch(first + i, value)) for i, value in enumerate(values)])


def test_two_hours_over_the_limit_raise_one_alarm_and_one_case(engine: Engine) -> None:
    feed(engine, 120, 130, 140)
    alarm = Alarm.objects.get()
    case = Case.objects.get()
    assert (alarm.rule, alarm.value, alarm.origin) == ("pm2_5_exceeds", 130, "live")
    assert alarm.opened_at == EIGHT + 2 * HOUR
    assert (alarm.case, case.case_kind, case.severity) == (str(case.id), "air_exceedance", "warning")


def test_an_alarm_clears_itself_and_the_case_says_so(engine: Engine) -> None:
    feed(engine, 120, 130, 110, 104)
    alarm = Alarm.objects.get()
    assert (alarm.cleared_at, alarm.cleared_value) == (EIGHT + 4 * HOUR, 104)
    assert Case.objects.get().cause_cleared_at is not None
    assert not open_alarms().exists()


def test_a_message_delivered_again_counts_once_even_after_a_restart(engine: Engine) -> None:
    first = [(1, batch(0, 120)), (2, batch(1, 130))]
    assert engine.take(first) == 2
    assert Engine("stream-1").take([*first, (3, batch(2, 140))]) == 1
    assert Alarm.objects.count() == Case.objects.count() == 1


def test_an_alarm_told_before_its_messages_are_counted_is_told_once_through_a_crash(engine: Engine) -> None:
    first = [(1, batch(0, 120)), (2, batch(1, 130))]
    engine.absorb(first)
    engine.tell()
    assert Alarm.objects.count() == Case.objects.count() == 1
    after = Engine("stream-1")
    assert after.take([*first, (3, batch(2, 90))]) == 3
    alarm = Alarm.objects.get()
    assert (alarm.cleared_at, alarm.corrections) == (EIGHT + 3 * HOUR, [])
    assert not RuleState.objects.exclude(ahead=None).exists()


def test_what_another_process_counted_meanwhile_is_not_told_again(engine: Engine) -> None:
    engine.absorb([(1, batch(0, 120)), (2, batch(1, 130))])
    Engine("stream-1").take([(1, batch(0, 120)), (2, batch(1, 130))])
    with pytest.raises(HaitangError, match="规则进程"):
        engine.tell()
    assert Alarm.objects.count() == 1


def test_an_older_message_delivered_late_is_not_taken_for_known(engine: Engine) -> None:
    engine.take([(2, batch(1, 130))])
    assert engine.take([(1, batch(0, 120))]) == 1
    assert Alarm.objects.count() == 1


def test_a_stream_made_anew_is_read_from_its_start(engine: Engine) -> None:
    feed(engine, 120)
    assert Engine("stream-2").take([(1, batch(1, 130))]) == 1
    assert Alarm.objects.count() == 1


def test_a_flagged_value_is_a_missing_value(engine: Engine) -> None:
    engine.take([(1, batch(0, 900, quality="flag:D")), (2, batch(1, 900, quality="flag:D"))])
    assert not Alarm.objects.exists()


def test_an_alarm_on_replayed_data_says_so(engine: Engine) -> None:
    engine.take([(1, batch(0, 120, origin="replay")), (2, batch(1, 130, origin="replay"))])
    assert Alarm.objects.get().origin == Case.objects.get().origin == "replay"


def test_late_data_withdraw_an_alarm_and_leave_a_trace(engine: Engine) -> None:
    engine.take([(1, batch(0, 120)), (2, batch(2, 130))])
    engine.take([(3, batch(1, 10))])
    alarm = Alarm.objects.get(rule="pm2_5_exceeds")
    assert alarm.withdrawn_at is not None
    assert alarm.corrections[0]["before"]["value"] == 130
    assert Case.objects.get().cause_cleared_at is not None


def test_a_silent_station_raises_an_alarm_that_its_next_word_clears(engine: Engine) -> None:
    feed(engine, 20)
    with clock.frozen(EIGHT + 2.4 * HOUR):
        engine.tick(caught_up=True)
    assert not Alarm.objects.exists()
    with clock.frozen(EIGHT + 2.6 * HOUR):
        engine.tick(caught_up=True)
    alarm = Alarm.objects.get()
    assert (alarm.rule, alarm.opened_at, alarm.case is None) == ("air_station_silent", EIGHT + 2.5 * HOUR, False)
    feed(engine, 20, first=3)
    alarm.refresh_from_db()
    assert alarm.cleared_at == EIGHT + 4 * HOUR


def test_nobody_is_silent_while_messages_wait_to_be_judged(engine: Engine) -> None:
    feed(engine, 20)
    with clock.frozen(EIGHT + 5 * HOUR):
        engine.tick(caught_up=False)
    assert not Alarm.objects.exists()


def test_a_failure_leaves_neither_state_nor_offset(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("power")

    with monkeypatch.context() as patched:
        patched.setattr("haitang.hub.data.rules.engine.carry_out", fail)
        with pytest.raises(RuntimeError):
            feed(engine, 120, 130)
    assert not RuleState.objects.exists()
    feed(engine, 120, 130)
    assert Alarm.objects.count() == 1


def test_an_alarm_that_is_long_over_when_it_becomes_known_opens_no_case(engine: Engine) -> None:
    with clock.frozen(EIGHT + 20 * HOUR):
        feed(engine, 120, 130, 140, 90)
        engine.tick(caught_up=True)
    alarm = Alarm.objects.get(rule="pm2_5_exceeds")
    assert (alarm.cleared_at, alarm.raised_at) == (EIGHT + 4 * HOUR, EIGHT + 20 * HOUR)
    assert alarm.case is None
    assert not Case.objects.filter(case_kind="air_exceedance").exists()


def test_a_late_alarm_that_still_stands_opens_its_case_once_the_data_are_current(engine: Engine) -> None:
    with clock.frozen(EIGHT + 20 * HOUR):
        feed(engine, *[130.0] * 10)
        engine.tick(caught_up=True)
        assert Alarm.objects.get(rule="pm2_5_exceeds").cleared_at is None
        assert not Case.objects.filter(case_kind="air_exceedance").exists()
        feed(engine, *[130.0] * 10, first=10)
        engine.tick(caught_up=True)
    assert Alarm.objects.get(rule="pm2_5_exceeds").case == str(Case.objects.get(case_kind="air_exceedance").id)


def test_hours_that_come_together_after_a_short_break_open_their_case_at_once(engine: Engine) -> None:
    with clock.frozen(EIGHT + 5 * HOUR):
        feed(engine, 120, 130, 140, 130, 120)
    assert Case.objects.get().alarm == str(Alarm.objects.get(rule="pm2_5_exceeds").id)


def maintain(first: float, last: float) -> None:
    thing = Thing.objects.get(pk="station")
    MaintenanceWindow.objects.create(
        thing=thing, starts_at=EIGHT + first * HOUR, ends_at=EIGHT + last * HOUR, reason="校准", noted_by="staff:x"
    )


def test_in_maintenance_nobody_is_silent_and_silence_counts_from_its_end(engine: Engine) -> None:
    feed(engine, 20)
    maintain(2, 5)
    for hour, alarms in ((3, 0), (6, 0), (6.4, 0), (6.6, 1)):
        with clock.frozen(EIGHT + hour * HOUR):
            engine.tick(caught_up=True)
        assert Alarm.objects.count() == alarms, hour
    alarm = Alarm.objects.get()
    assert (alarm.opened_at, alarm.held) == (EIGHT + 6.5 * HOUR, False)


def test_an_alarm_in_maintenance_is_marked_and_opens_its_case_only_if_it_outlasts_it(engine: Engine) -> None:
    maintain(-1, 3)
    with clock.frozen(EIGHT + 2 * HOUR):
        feed(engine, 120, 130)
        engine.tick(caught_up=True)
    assert (Alarm.objects.get().held, Case.objects.count()) == (True, 0)
    with clock.frozen(EIGHT + 3.1 * HOUR):
        engine.tick(caught_up=True)
    assert Alarm.objects.get().case == str(Case.objects.get().id)


def test_an_alarm_that_clears_in_maintenance_opens_no_case(engine: Engine) -> None:
    maintain(-1, 5)
    with clock.frozen(EIGHT + 4 * HOUR):
        feed(engine, 120, 130, 110, 20)
    with clock.frozen(EIGHT + 5.1 * HOUR):
        engine.tick(caught_up=True)
    alarm = Alarm.objects.get(rule="pm2_5_exceeds")
    assert (alarm.held, alarm.cleared_at is None, alarm.case, Case.objects.count()) == (True, False, None, 0)
