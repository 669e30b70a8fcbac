"""A day that is over has a signed root, an outside time stamp, and the receipt of the node above, which refuses another story of it."""

import io
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.support.security.evidence import daily, stamps
from haitang.support.security.evidence.daily import day_json, deliver_days, publish_days, stamp_due
from haitang.support.security.evidence.days import day_holds, day_statement
from haitang.support.security.evidence.downstream import admit_node, hand_in
from haitang.support.security.evidence.keyring import key_json, keys, rotate_key, sign, signing_key
from haitang.support.security.evidence.models import DayRoot, DownstreamRoot, EvidenceRecord, Seal, UpstreamReceipt
from haitang.support.security.evidence.sealing import seal_all
from haitang.support.security.evidence.verify import verify
from tests.support.security.ledger_world import check, codes, exported, instance, write
from tests.support.security.time_stamp_service import authority, serving

pytestmark = pytest.mark.django_db(transaction=True)
FIRST = datetime(2026, 11, 20, 9, tzinfo=clock.CHINA)


def sealed_on(day: datetime, *subjects: str) -> None:
    with clock.frozen(day):
        write(*subjects)
        seal_all()


@pytest.fixture(autouse=True)
def _instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(daily, "node", lambda: "500111")
    with instance(tmp_path):
        sealed_on(FIRST, "a", "b")
        sealed_on(FIRST + timedelta(days=2), "c")
        with clock.frozen(FIRST + timedelta(days=3)):
            yield


def test_each_day_that_is_over_gets_one_signed_root() -> None:
    assert (publish_days(), publish_days()) == (3, 0)
    days = [day_json(day) for day in DayRoot.objects.order_by("date")]
    assert [(day["date"], day["seals"]) for day in days] == [("2026-11-20", 1), ("2026-11-21", 0), ("2026-11-22", 1)]
    lines = [key_json(key) for key in keys()]
    assert all(day_holds(day, lines, bytes.fromhex(signing_key()[0].public)) for day in days)
    assert not day_holds({**days[0], "records": 99}, lines, bytes.fromhex(signing_key()[0].public))


def test_today_is_not_published_before_it_is_over() -> None:
    with clock.frozen(FIRST + timedelta(hours=14, minutes=59)):
        assert publish_days() == 0


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Any]:
    if not shutil.which("openssl"):
        pytest.skip("no openssl on this machine")
    authority(tmp_path / "tsa")
    with serving(tmp_path / "tsa") as found, instance(tmp_path, tsa_url=found.url, tsa_ca=str(tmp_path / "tsa" / "ca.pem")):
        yield found


def test_the_last_seal_of_a_day_is_time_stamped_and_verifies_offline(service: Any, tmp_path: Path) -> None:
    publish_days()
    assert (stamp_due(), stamp_due(), service.asked) == (2, 0, 2)
    content, root = exported(), signing_key()[0].public
    report = check(content, root, (tmp_path / "tsa" / "ca.pem").read_bytes())
    assert (report.findings, report.stamps, report.stamps_anchored) == ([], 2, 2)
    authority(tmp_path / "other")
    foreign = check(content, root, (tmp_path / "other" / "ca.pem").read_bytes())
    assert codes(foreign) == {"timestamp"}


def test_a_stamp_of_another_seal_is_not_taken(service: Any) -> None:
    publish_days()
    stamp_due()
    first, second = Seal.objects.order_by("number")
    with pytest.raises(stamps.StampFault, match="something else"):
        stamps.check(bytes(first.timestamp_token or b""), bytes.fromhex(second.chain))
    with pytest.raises(stamps.StampFault):
        stamps.check(b"\x30\x03nonsense", bytes.fromhex(second.chain))


def test_a_service_that_is_away_is_asked_again(service: Any) -> None:
    publish_days()
    service.broken = True
    assert stamp_due() == 0
    service.broken = False
    assert stamp_due() == 2


def test_every_nth_seal_is_stamped_where_asked_for(service: Any, tmp_path: Path) -> None:
    with instance(tmp_path, tsa_url=service.url, tsa_every=2):
        assert stamp_due() == 1
    assert list(Seal.objects.exclude(timestamp_token=None).values_list("number", flat=True)) == [2]


@pytest.fixture
def above(live_server: Any, tmp_path: Path) -> Iterator[str]:
    """This very instance plays the node above too, over real HTTP."""
    with acting(system("operator")) as act:
        admit_node(act=act, node="500111", title="大足区", public=signing_key()[0].public)
    with instance(tmp_path, upstream_url=live_server.url):
        yield live_server.url


@pytest.mark.usefixtures("above")
def test_the_node_above_receipts_each_day_once() -> None:
    publish_days()
    assert (deliver_days(), deliver_days()) == (3, 0)
    assert UpstreamReceipt.objects.count() == DownstreamRoot.objects.count() == 3
    receipt = UpstreamReceipt.objects.order_by("day_id")[0].receipt
    assert (receipt["node"], receipt["date"]) == ("500111", "2026-11-20")
    assert EvidenceRecord.objects.filter(ref=receipt["record"], action="evidence.accept_root").exists()


def told(**changed: Any) -> dict[str, Any]:
    """A first day's statement, changed and signed anew by the node's own key: what a rewritten history would hand in."""
    key, private = signing_key()
    day = {**day_json(DayRoot.objects.order_by("date")[0]), **changed, "key": key.id}
    return {"day": {**day, "signature": sign(key, private, day_statement(day))}, "keys": [key_json(each) for each in keys()]}


@pytest.mark.usefixtures("above")
@pytest.mark.parametrize(
    ("changed", "code"),
    [({"root": "0" * 64}, "contradicts"), ({"date": "2026-11-25"}, "contradicts"), ({"node": "500112"}, "not_downstream"), ({}, "")],
)
def test_another_story_of_a_day_is_refused_and_kept_as_evidence(changed: dict[str, str], code: str) -> None:
    publish_days()
    deliver_days()
    again = told(**changed)
    if not code:
        assert hand_in(again)["date"] == "2026-11-20"
        return
    with pytest.raises(HaitangError, match=code):
        hand_in(again)
    assert EvidenceRecord.objects.filter(action="evidence.refuse_root").exists() is (code == "contradicts")


@pytest.mark.usefixtures("above")
def test_only_the_nodes_own_keys_may_speak_for_it() -> None:
    publish_days()
    with acting(system("operator")) as act:
        rotate_key(act=act, without_old_key=True)
    with pytest.raises(HaitangError, match="not_signed_by_node"):
        hand_in(told())
    for nonsense in (None, [], {"day": 1}, {"day": {"date": "x"}, "keys": []}, {"day": {}, "keys": 3}):
        with pytest.raises(HaitangError, match="bad_root"):
            hand_in(nonsense)


def test_stamps_leave_other_files_as_they_are() -> None:
    assert verify(io.BytesIO(exported())).stamps == 0
