"""Real files of the machine's data folder, read whole: rows as counted by hand or by another program."""

from pathlib import Path

import pytest

from haitang.hub.data.gather.readers.types import Layout
from tests.hub.data.gather.readers.read_all import read_all

DATA = Path(__file__).parents[6] / "shared" / "data"
FILES: list[tuple[str, int, str | None]] = [
    ("water-quality/chongqing_water_quality_4h.csv", 1253, None),
    ("citizen-messages/messages_with_replies_2816.csv.gz", 2816, None),
    ("citizen-messages/messages_classified_sample.csv", 495, None),
    ("citizen-messages/category_3level.csv", 517, None),
    ("gov-service-items/guangan_items.csv", 1135, None),
    ("hospitals/chongqing.csv", 174, None),
    ("schools/chongqing_schools.json", 0, None),
    ("scenic/china5a.json", 0, None),
    ("electricity/ETTh1.csv.gz", 17420, None),
    ("air-quality-beijing/PRSA_Data_Dingling_20130301-20170228.csv.gz", 35064, None),
    ("air-quality-beibei/空气优良天数(1).json", 0, None),
    ("admin-divisions/dazu_500111_villages.csv", 309, None),
    ("hj212/packets.json", 1510, None),
    ("gtfs/cairns_gtfs.zip", 0, "stops.txt"),
    ("traffic-chongqing/road.csv.gz", 1187, None),
    ("traffic-chongqing/roads.geojson.gz", 1187, None),
]


@pytest.mark.parametrize(("name", "rows", "member"), FILES)
def test_a_real_file_is_read_whole(name: str, rows: int, member: str | None) -> None:
    if not (DATA / name).exists():
        pytest.skip(f"{DATA / name} is not on this machine")
    read = read_all(DATA / name, Layout(member=member))
    assert read.broken == []
    assert len(read.rows) == rows or (rows == 0 and read.rows)
