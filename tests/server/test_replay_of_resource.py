"""What a gathered resource has recorded, played through the live listeners of a real instance: stored, judged and shown as replayed, nowhere as live."""

import csv
import io
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta

import httpx
import pytest

from haitang.base import clock
from tests.server.instances import CHECKOUT, Instance, haitang

pytestmark = pytest.mark.timeout(400)  # a whole product starts here, on cores that other tests share

RECORD = """
title: 空气质量历史记录
key: [station, at]
sharing: unconditional
provider: ecology_bureau
series: {device: air_station, time: at, thing: station, properties: {pm2_5: fine, o3: ozone}}
fields:
  station: {title: 站点}
  at: {title: 时间, type: datetime}
  fine: {title: 细颗粒物, type: number}
  ozone: {title: 臭氧, type: number}
synthetic: true
"""
LONG_AGO = datetime(2026, 1, 5, tzinfo=clock.CHINA)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("replayed")
    place = folder / "place"
    shutil.copytree(CHECKOUT / "places/dazu", place)
    (place / "resources").mkdir()
    (place / "resources/air_record.yaml").write_text(RECORD, "utf-8")
    running = Instance(folder / "data", options=("--place", str(place))).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def gathered(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """Two days of two stations that nobody else has, in the lake."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["站点", "时间", "细颗粒物", "臭氧"])
    for hour in range(48):
        for number, station in enumerate(("历史甲站", "历史乙站")):
            rows.writerow([station, f"{LONG_AGO + timedelta(hours=hour):%Y-%m-%d %H:%M:%S}", 700 + number, 900 + number])
    file = tmp_path_factory.mktemp("recorded") / "历史.csv"
    file.write_text(out.getvalue(), "utf-8")
    done = haitang("gather", str(file), "--resource", "air_record", "--json", "--data", str(instance.data), timeout=180)
    assert json.loads(done.stdout)["accepted"] == 96, done.stderr
    return instance


@pytest.fixture(scope="module")
def reader(instance: Instance) -> Iterator[httpx.Client]:
    with closing(instance.signed_in("duty_officer")) as client:
        yield client


@pytest.mark.parametrize("via", ["hj212", "mqtt", "http"])
def test_it_comes_in_by_each_listener_and_is_shown_as_replayed(gathered: Instance, reader: httpx.Client, via: str) -> None:
    asked = ("--of", "air_record", "--days", "0.25", "--recorded", "2", "--via", via, "--json", "--data", str(gathered.data))
    done = haitang("replay", *asked, timeout=180)
    told = json.loads(done.stdout)
    assert (done.returncode, told["via"], told["unanswered"]) == (0, via, 0), done.stderr
    assert {each["recorded"] for each in told["stations"]} == {"历史甲站", "历史乙站"}
    assert told["values"] >= 2 * 2 * 5
    thing = next(each["thing"] for each in told["stations"] if each["recorded"] == "历史甲站")
    until = time.monotonic() + 150
    while "700" not in (shown := reader.get(f"/readings/{thing}")).text:
        assert time.monotonic() < until, (shown.status_code, shown.text)
        time.sleep(0.5)
    for address in (f"/things/{thing}", f"/readings/{thing}"):
        assert 'class="origin-mark"' in reader.get(address).text, address
