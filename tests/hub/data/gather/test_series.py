"""A gathered resource as a recorded series: hours and things where they belong, and a declaration that says what does not fit."""

from datetime import date

import pytest

from haitang.base.declarations import in_force, put_in_force
from haitang.base.declarations.loader import load_folders
from haitang.base.errors import HaitangError
from haitang.hub.data.catalogue.kinds import Resource
from haitang.server.recorded import of_resource
from tests.hub.data.gather.conftest import Bench, everything
from tests.hub.data.gather.sample import FILES

AIR = """
title: 空气记录
key: [station, at]
sharing: unconditional
series: {device: air_station, time: at, thing: station, properties: {pm2_5: fine}}
fields:
  station: {title: 站点}
  at: {title: 时间, type: datetime}
  fine: {title: 细颗粒物, type: number}
"""


def declared(text: str) -> list[str]:
    owners = [owner for owner in everything().owners if owner.name != "sample"]
    sample = next(owner for owner in everything().owners if owner.name == "sample")
    loaded = load_folders(
        [*owners, type(sample)("sample", "application", sample.folder, {**sample.files, **FILES, "resources/air_record.yaml": text})]
    )
    if loaded.declarations:
        put_in_force(loaded.declarations)
    return [str(problem) for problem in loaded.errors]


def test_rows_become_hours_of_things_and_values_of_an_hour_are_averaged(bench: Bench) -> None:
    assert not declared(AIR)
    bench.gather(
        "站点,时间,细颗粒物\n甲,2026-03-01 23:10:00,10\n甲,2026-03-01 23:40:00,20\n甲,2026-03-02 00:00:00,5\n乙,2026-03-02 08:00:00,7\n",
        resource="air_record",
    )
    found = of_resource(in_force().get(Resource, "air_record"), 2)
    assert (found.first_day, found.days) == (date(2026, 3, 1), 2)
    assert (found.stations["甲"][23], found.stations["甲"][24], found.stations["乙"][32]) == (
        {"pm2_5": 15.0},
        {"pm2_5": 5.0},
        {"pm2_5": 7.0},
    )
    assert sum(map(len, found.stations["甲"])) == 2
    assert list(of_resource(in_force().get(Resource, "air_record"), 1).stations["甲"][0]) == ["pm2_5"]


def test_a_resource_without_a_series_or_without_rows_says_so(bench: Bench) -> None:
    declared(AIR)
    for id, kind in (("shop", "server.no_series_declared"), ("air_record", "server.nothing_gathered")):
        with pytest.raises(HaitangError) as refused:
            of_resource(in_force().get(Resource, id), 1)
        assert refused.value.kind.code == kind


def test_a_series_that_does_not_fit_is_refused_where_it_stands(bench: Bench) -> None:
    told = " ".join(declared(AIR.replace("time: at", "time: station").replace("pm2_5: fine", "moonlight: fine")))
    assert "series.time" in told
    assert "series.properties.moonlight" in told
