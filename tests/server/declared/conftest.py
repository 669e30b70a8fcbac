"""An instance whose place is a small folder of its own."""

from pathlib import Path

import pytest

from haitang.base import settings as ours
from haitang.server import declared
from haitang.server.discovery import load_kinds

load_kinds()

FILES = {
    "place/place.yaml": "title: 某区\ncode: '500111'\n",
    "place/organizations.yaml": "government: {title: 区政府}\nbureau: {title: 生态环境局, fills: [ecology_bureau], parent: government}\n",
    "place/things.csv": "id,title,device,organization,division,longitude,latitude,mn\ns1,一号站,air_station,bureau,500111001,105.7,29.7,A1\n",
    "place/overrides.yaml": "# 本区的调整\nrule high:\n  when: value > 100   # 会议纪要第 3 号\n",
    "air/application.yaml": "title: 空气\nprovider: ecology_bureau\n",
    "air/devices/air_station.yaml": "title: 空气站\nobserves:\n  pm2_5: {title: 细颗粒物, unit: ug/m3, statistics: [hour mean]}\n",
    "air/rules/high.yaml": "title: 超标\nwatches: air_station.pm2_5, hour mean\nwhen: value > 115\nfor: 2h\n",
    "air/procedures/inspection.yaml": "title: 核查\nstart: filed\nstages:\n  filed: {title: 立案}\n  closed: {title: 结案, end: true}\n"
    "moves:\n  close: {title: 结案, from: filed, to: closed, by: inspector}\n",
    "air/roles/inspector.yaml": "title: 核查员\nmay: [declarations.propose]\n",
}


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of a place and an application; the platform's own rooms and applications stay out."""
    for relative, text in FILES.items():
        file = tmp_path / relative
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    monkeypatch.setattr("haitang.base.declarations.owners.rooms", lambda: iter(()))
    monkeypatch.setattr("haitang.base.declarations.owners.shipped", lambda: iter(()))
    monkeypatch.setattr(declared, "settings", lambda: ours.load({"place": str(tmp_path / "place"), "applications": str(tmp_path / "air")}))
    return tmp_path
