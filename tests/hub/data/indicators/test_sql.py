"""What an indicator's statement may say."""

import pytest

from haitang.base.declarations.testing import load_texts
from haitang.base.errors import HaitangError
from haitang.hub.data.indicators import checks, sql  # noqa: F401  checks register themselves
from haitang.server.discovery import load_kinds

load_kinds()


@pytest.mark.parametrize(
    "statement",
    [
        "drop table air_day",
        "select 1",
        "select a, b from air_day",
        "select * from air_day",
        "select avg(x) from air_day; select 1",
        "select avg(x) from read_csv('/etc/passwd')",
        "select avg(x) from pg_catalog.air_day",
        "select avg(x) from other",
        "select pg_sleep(9) from air_day",
        "select avg(x) from air_day group by y",
        "with t as (select 1) select avg(x) from air_day",
        "select avg(x) from air_day where x in (select y from people_person)",
        "select",
    ],
)
def test_refuses_what_is_not_one_number_from_its_tables(statement: str) -> None:
    with pytest.raises(HaitangError, match="bad_value"):
        sql.parse(statement, ["air_day"])


def test_check_names_the_place_of_what_is_wrong() -> None:
    loaded = load_texts(
        {
            "application.yaml": "title: Trial",
            "devices/station.yaml": "title: Station\nobserves: {x: {title: X, unit: m, statistics: [hour mean]}}",
            "derive/hourly.sql": "/*---\ntitle: Hourly\ngrain: [station]\n---*/\nselect station, x from hour_means_of('station')",
            "indicators/broken.yaml": "title: Broken\nunit: m\nvalue: select avg(y) from hourly\nby: [town]\nrecords: nowhere",
        }
    )
    assert sorted((p.key_path, p.code) for p in loaded.errors) == [(key, "indicators.value_reads") for key in ("by.0", "records", "value")]
