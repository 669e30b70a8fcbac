"""What a packet says was observed; what it says that cannot be believed or understood stays whole."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haitang.base.clock import CHINA
from haitang.support.infrastructure.listeners.hj212.observations import Reading, interpret
from haitang.support.infrastructure.listeners.hj212.packet import parse
from haitang.support.infrastructure.listeners.hj212.sources import Meanings, Source
from haitang.support.infrastructure.listeners.hj212.times import micros
from haitang.support.infrastructure.things.kinds import Device, Hj212, Observed

DEVICE = Device(
    title="站",
    hj212=Hj212(system=22),
    observes={
        "pm2_5": Observed(title="细颗粒物", unit="ug/m3", range=(0, 1000), hj212="a34004"),
        "so2": Observed(title="二氧化硫", unit="ug/m3", hj212="a21026"),
        "so2_converted": Observed(title="折算二氧化硫", unit="mg/m3", hj212="a21026-Zs"),
        "so2_amount": Observed(title="二氧化硫排放量", unit="kg", hj212="a21026-Cou"),
        "leq": Observed(title="等效声级", unit="dB", hj212="Leq"),
        "lmx": Observed(title="最大声级", unit="dB", hj212="LMx"),
        "pump": Observed(title="泵", unit="", hj212="SB1-RS"),
    },
)
SOURCE = Source(node="500111", thing="t1", mn="M1", meanings=Meanings.of(DEVICE))
NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=CHINA)


def read(cn: str, cp: str, now: datetime = NOW) -> Reading:
    packet = parse(f"QN=1;ST=22;CN={cn};PW=1;MN=M1;Flag=5;CP=&&{cp}&&".encode())
    return interpret(packet, SOURCE, raw="raw", received=now)


def at(text: str) -> int:
    return micros(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA))


@pytest.mark.parametrize(
    ("cn", "told", "start", "end"),
    [
        ("2051", "20261123115000", "2026-11-23 11:50:00", "2026-11-23 12:00:00"),
        ("2061", "20261123110000", "2026-11-23 11:00:00", "2026-11-23 12:00:00"),
        ("2061", "20261123110001", "2026-11-23 11:00:00", "2026-11-23 12:00:00"),
        ("2061", "20261123105958", "2026-11-23 11:00:00", "2026-11-23 12:00:00"),
        ("2031", "20261122000000", "2026-11-22 00:00:00", "2026-11-23 00:00:00"),
    ],
)
def test_data_time_is_the_start_of_the_period(cn: str, told: str, start: str, end: str) -> None:
    got = read(cn, f"DataTime={told};a34004-Avg=35,a34004-Min=30,a34004-Max=41,a34004-Flag=N")
    assert [(o.property, o.statistic, o.number) for o in got.observations] == [
        ("pm2_5", "mean", 35),
        ("pm2_5", "min", 30),
        ("pm2_5", "max", 41),
    ]
    assert {(o.period_start, o.period_end, o.unit, o.quality) for o in got.observations} == {(at(start), at(end), "ug/m3", "normal")}
    assert got.set_aside == []


def test_an_instant_is_at_data_time_or_at_its_own_sample_time() -> None:
    got = read("2011", "DataTime=20261123120000;a34004-Rtd=35;a21026-Rtd=8,a21026-SampleTime=20261123115500")
    assert [(o.statistic, o.period_start, o.period_end) for o in got.observations] == [
        ("instant", at("2026-11-23 12:00:00"), at("2026-11-23 12:00:00")),
        ("instant", at("2026-11-23 11:55:00"), at("2026-11-23 11:55:00")),
    ]


def test_amounts_and_converted_values_are_properties_of_their_own() -> None:
    got = read("2061", "DataTime=20261123110000;a21026-Avg=8,a21026-ZsAvg=9,a21026-Cou=1.5;a34004-Cou=3")
    assert [(o.property, o.statistic, o.unit) for o in got.observations] == [
        ("so2", "mean", "ug/m3"), ("so2_converted", "mean", "mg/m3"), ("so2_amount", "sum", "kg"),
    ]  # fmt: skip
    assert [(s.reason, s.detail, s.raw) for s in got.set_aside] == [("unknown_factor", "a34004-cou", "raw")]


def test_codes_of_2005_and_either_case_are_understood() -> None:
    got = read("2011", "datatime=20261123120000000;02-RTD=8;A34004-rtd=7")
    assert [(o.property, o.number) for o in got.observations] == [("so2", 8), ("pm2_5", 7)]


def test_quality_follows_flag_range_and_alignment() -> None:
    def quality(cn: str, cp: str) -> str:
        return read(cn, cp).observations[0].quality

    assert quality("2011", "DataTime=20261123120000;a34004-Rtd=35,a34004-Flag=D") == "flag:D"
    assert quality("2011", "DataTime=20261123120000;a34004-Rtd=5000,a34004-Flag=N") == "invalid"
    assert quality("2011", "DataTime=20261123120000;a34004-Rtd=5000,a34004-Flag=T") == "flag:T"
    assert quality("2061", "DataTime=20261123103000;a34004-Avg=35") == "suspect"
    assert quality("2051", "DataTime=20261123110600;a34004-Avg=35") == "suspect"


def test_noise_and_device_states() -> None:
    got = read("2051", "DataTime=20261123114000;Leq-Data=50.0;LMx-Data=54.0")
    assert [(o.property, o.statistic) for o in got.observations] == [("leq", "mean"), ("lmx", "max")]
    assert read("2021", "DataTime=20261123114000;SB1-RS=1").observations[0].property == "pump"


@pytest.mark.parametrize(
    ("cn", "cp", "reason"),
    [
        ("2011", "a34004-Rtd=1", "bad_time"),
        ("2011", "DataTime=20261323000000;a34004-Rtd=1", "bad_time"),
        ("2011", "DataTime=19700101000000;a34004-Rtd=1", "bad_time"),
        ("2011", "DataTime=20261123121100;a34004-Rtd=1", "future_time"),
        ("2061", "DataTime=20261123120000;a34004-Avg=1", "future_time"),
        ("2011", "DataTime=20261123120000;zzz-Rtd=1", "unknown_factor"),
        ("2011", "DataTime=20261123120000;a34004-Rtd=nan", "not_a_number"),
        ("2011", "DataTime=20261123120000;a34004-Rtd=", "not_a_number"),
        ("2011", "DataTime=20261123120000;a34004-Avg=1", "unknown_item"),
        ("2011", "DataTime=20261123120000", "empty"),
        ("2081", "DataTime=20261123120000;RestartTime=20261123120000", "not_an_observation"),
    ],
)
def test_what_cannot_be_stored_is_set_aside_whole(cn: str, cp: str, reason: str) -> None:
    got = read(cn, cp)
    assert got.observations == []
    assert [(s.reason, s.raw, s.thing) for s in got.set_aside] == [(reason, "raw", "t1")]


def test_late_data_is_data() -> None:
    got = read("2011", "DataTime=20160824003817;a34004-Rtd=1")
    assert (len(got.observations), got.late, got.observations[0].quality) == (1, True, "normal")


@given(st.text(max_size=80), st.sampled_from(["2011", "2051", "2061", "2031", "2021", "3020", "9999"]))
def test_any_content_leaves_something(cp: str, cn: str) -> None:
    got = read(cn, "DataTime=20261123110000;" + cp, NOW + timedelta(days=2))
    assert got.observations or got.set_aside
