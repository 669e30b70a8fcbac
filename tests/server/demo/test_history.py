"""The stories as they happen: real actions by real people of the database, in the order of their times."""

from datetime import datetime, timedelta

import pytest

from haitang.base import clock
from haitang.base.declarations.in_force import holding
from haitang.hub.business.cases.models import Case
from haitang.hub.business.notifications.models import Notice
from haitang.hub.business.procedures.models import RunEvent
from haitang.hub.data.indicators.models import IndicatorValue
from haitang.hub.data.rules.models import Alarm
from haitang.server.demo.history import tell_stories
from haitang.server.demo.inboxes import fill_inboxes
from haitang.server.demo.people import CAST, make_people
from haitang.server.demo.stories import OPEN, PAST, REPORTS
from haitang.support.infrastructure.things.models import Thing
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.models import Organization
from tests.hub.data.shipped import shipped

NOW = datetime(2026, 11, 23, 15, 20, tzinfo=clock.CHINA)


def _alarm(number: int) -> Alarm:
    opened = NOW - timedelta(days=2 * number, hours=2)
    return Alarm(
        rule="pm2_5_exceeds", title="细颗粒物小时浓度超标", thing="s1", property="pm2_5", severity="warning", episode=number, opened_at=opened,
        raised_at=NOW, value=130, cleared_at=opened + timedelta(hours=5), case_kind="air_exceedance", origin="replay", release="r",
    )  # fmt: skip


@pytest.mark.django_db
def test_cases_at_every_stage_come_from_alarms_and_read_naturally() -> None:
    for id, fills in (("ecology", "ecology_bureau"), ("centre", "command_centre"), ("audit", "audit_bureau"), ("data", "big_data_bureau")):
        Organization.objects.create(id=id, title=id, fills=[fills])
    Thing.objects.create(id="s1", title="试验站", device="air_station", organization_id="ecology", mn="s1", origin="replay")
    Alarm.objects.bulk_create([_alarm(number) for number in range(44)])
    with holding(shipped()), clock.frozen(NOW):
        assert make_people() == len(CAST)
        assert make_people() == 0
        assert tell_stories(NOW) == len(OPEN) + len(PAST) + len(REPORTS)
        assert tell_stories(NOW) == 0
        fill_inboxes()
    _check()


def _check() -> None:
    by_word = {case.facts["demo"]: case for case in Case.objects.all()}
    stages = {word: case.stage for word, case in by_word.items()}
    assert [stages[w] for w in ("filed", "dispatched", "handled", "returned", "closed-1", "rejected")] == [
        "filed", "dispatched", "handled", "dispatched", "closed", "rejected",
    ]  # fmt: skip
    assert by_word["paused"].paused
    assert by_word["overdue"].due_at < NOW  # type: ignore[operator]
    assert by_word["returned-closed"].returned == 1
    assert by_word["late-1"].closed_on_time is False
    assert by_word["extended"].closed_on_time is True
    assert [stages[w] for w in ("report-waits", "report-dispatched", "report-dismissed", "report-closed")] == [
        "accepted", "dispatched", "dismissed", "closed",
    ]  # fmt: skip
    assert set(Case.objects.filter(source="alarm").values_list("origin", flat=True)) == {"replay"}
    assert set(Case.objects.exclude(source="alarm").values_list("origin", flat=True)) == {"simulated"}
    assert Alarm.objects.exclude(case=None).count() == len(OPEN) + len(PAST)
    for case in by_word.values():
        moments = list(RunEvent.objects.filter(run=case.run_id).order_by("number").values_list("at", flat=True))
        assert moments == sorted(moments)
        assert moments[-1] <= NOW
    assert Notice.objects.filter(urgency="overdue", subject=f"case:{by_word['overdue'].pk}").exists()
    assert set(Notice.objects.filter(seen_at=None).values_list("person__username", flat=True)) == {f"demo-{role}" for role in CAST}
    assert IndicatorValue.objects.filter(indicator="case_on_time", dimension="").count() > 30
    assert EvidenceRecord.objects.filter(action="case.demonstrate").count() == 1
