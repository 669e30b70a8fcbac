"""What a point of the map says about a thing that tells nothing."""

from datetime import timedelta

from haitang.base import clock
from haitang.hub.business.maps.points import thing_points, why_not
from haitang.support.infrastructure.things.models import MaintenanceWindow, Thing
from tests.hub.business.world import START, World, declare, world

DEVICE = {
    "devices/station.yaml": "title: 监测站\nsilent_after: 90min\nobserves: {pm2_5: {title: 细颗粒物, unit: ug/m3, statistics: [hour mean]}}\n"
}
__all__ = ["world"]


def test_a_station_without_data_says_why_and_a_silent_one_for_how_long(world: World) -> None:
    declare(application=DEVICE)
    thing = Thing.objects.create(id="s1", title="站", device="station", status="admitted", longitude=105.7, latitude=29.7)
    (point,) = thing_points()
    assert point.what == "无数据，接入后还没有收到过数据，请检查设备编号、网络和接入地址"
    assert why_not(thing, "stale") == "超过 1 小时 30 分钟 没有收到数据"
    assert why_not(thing, "normal") == ""
    with clock.frozen(START + timedelta(days=1)):
        assert thing_points()[0].className == "status-nodata"


def test_a_thing_in_maintenance_says_so(world: World) -> None:
    declare(application=DEVICE)
    thing = Thing.objects.create(id="s1", title="站", device="station", status="admitted", longitude=105.7, latitude=29.7)
    now = clock.now()
    MaintenanceWindow.objects.create(
        thing=thing, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1), reason="校准", noted_by="x"
    )
    assert thing_points()[0].what.startswith("维护中，无数据")
