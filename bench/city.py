"""A place and an application as large as a benchmark asks, written as declarations: 40 device types of 5 properties, 200 rules of five sorts.

What is measured is then the shipped path with everything on: the declarations are checked, released and in force like any others. All data are simulated.
"""

import csv
from pathlib import Path

TYPES, PROPERTIES = 40, 5
# Five sorts of rule, one for each property of a device type: threshold with hysteresis, duration, rate of change, window, silence.
_RULES = (
    ("p0", "when: value > 999\nuntil: value < 950\n"),
    ("p1", "when: value > 990\nfor: 2min\n"),
    ("p2", "when: change(1min) >= 900\n"),
    ("p3", "when: mean(5min) > 900 and count(5min) >= 3\n"),
    (None, "when: silent\n"),
)


def write(folder: Path, things: int, *, hj212: bool = False) -> tuple[Path, Path]:
    """Write a place of `things` devices and the application that declares their types; returns (place, application)."""
    place, application = folder / "place", folder / "bench_city"
    (application / "devices").mkdir(parents=True)
    (application / "rules").mkdir()
    (application / "application.yaml").write_text("title: 测量用城市\nprovider: bench_bureau\n", "utf-8")
    for number in range(TYPES):
        (application / "devices" / f"bench_{number}.yaml").write_text(_device(number, hj212), "utf-8")
        for sort, (observed, condition) in enumerate(_RULES):
            watched = f"bench_{number}.{observed}, instant" if observed else f"bench_{number}"
            text = f"title: 测量规则 {number}-{sort}\nwatches: {watched}\n{condition}severity: notice\n"
            (application / "rules" / f"bench_{number}_{sort}.yaml").write_text(text, "utf-8")
    _place(place, things)
    return place, application


def _device(number: int, hj212: bool) -> str:
    lines = [f"title: 测量设备 {number}", "silent_after: 90min"]
    if hj212:
        lines.append("hj212: {system: 22}")
    lines.append("observes:")
    codes = ("a34004", "a34002", "a21026", "a21004", "a05024")
    for index in range(PROPERTIES):
        code = f", hj212: {codes[index]}" if hj212 else ""
        lines.append(f"  p{index}: {{title: 测量项 {index}, unit: ug/m3, range: [0, 1000], statistics: [instant]{code}}}")
    return "\n".join(lines) + "\n"


def _place(place: Path, things: int) -> None:
    place.mkdir()
    (place / "place.yaml").write_text("title: 测量区\ncode: '990101'\nproduct_name: 测量\ncentre: [105.7, 29.7]\n", "utf-8")
    (place / "organizations.yaml").write_text(
        "bureau: {title: 测量局, fills: [bench_bureau, ecology_bureau]}\ntown: {title: 测量镇, division: '990101001'}\n", "utf-8"
    )
    with (place / "things.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", "title", "device", "organization", "division", "longitude", "latitude", "mn", "password", "origin"])
        for number in range(things):
            out.writerow(
                [
                    thing(number),
                    f"测量设备 {number}",
                    f"bench_{number % TYPES}",
                    "bureau",
                    "990101001",
                    105.7,
                    29.7,
                    mn(number),
                    "123456",
                    "simulated",
                ]
            )


def thing(number: int) -> str:
    return f"bench_thing_{number}"


def mn(number: int) -> str:
    return f"990101BENCH{number:013d}"
