"""What a device is made to say in its own words is read as what was meant."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haitang.base.errors import HaitangError
from haitang.support.infrastructure.listeners.known import Known, Meaning
from haitang.support.infrastructure.listeners.messages import interpret
from haitang.support.infrastructure.listeners.speaking import speakable, spoken
from haitang.support.infrastructure.things.kinds import Device

HOUR = datetime(2026, 3, 1, 4, tzinfo=UTC)
MEAN = {"hour mean": "v.pm"}


def device(message: dict[str, object], **fields: dict[str, object]) -> Device:
    observes = {name: {"title": name, "unit": "ug/m3", "statistics": ["hour mean"], **more} for name, more in fields.items()}
    return Device.model_validate({"title": "表", "observes": observes, "message": message})


@pytest.mark.parametrize("message", [
    {"time": "at"}, {"time": "h.ms", "time_format": "milliseconds"}, {"each": "data.list", "time": "at", "time_format": "seconds", "id": "msg.no"},
])  # fmt: skip
@given(values=st.dictionaries(st.sampled_from(["pm", "so2"]), st.floats(-500, 5000), min_size=1))
def test_what_is_spoken_is_read_as_the_same_observations(message: dict[str, object], values: dict[str, float]) -> None:
    kind = device(message, pm={"path": "v.pm", "scale": 0.1}, so2={"path": "v.list.0", "offset": -40.0})
    told = interpret(
        spoken(kind, HOUR, values, "replay:1"), Known("500111", "n1", "replay", Meaning.of(kind)), now=HOUR + timedelta(days=1)
    )
    assert not told.set_aside
    start = round(HOUR.timestamp() * 1e6)
    assert {(o.property, o.statistic, o.period_start, o.period_end - o.period_start, o.origin) for o in told.observations} == {
        (name, "mean", start, 3_600_000_000, "replay") for name in values
    }
    assert {o.property: o.number for o in told.observations} == pytest.approx(values, abs=1e-6)


@pytest.mark.parametrize(("kind", "why"), [
    (device({}, pm={"path": "pm"}), "没有时间"),
    (device({"time": "at"}, pm={}), "path"),
    (device({"time": "at"}, pm={"path": "pm", "scale": 0.0}), "scale"),
    (device({"time": "at"}, pm={"path": "v"}, so2={"path": "v.so2"}), "同一位置"),
])  # fmt: skip
def test_what_cannot_be_said_says_why(kind: Device, why: str) -> None:
    with pytest.raises(HaitangError) as refused:
        speakable(kind)
    assert why in str(refused.value.data["why"])
