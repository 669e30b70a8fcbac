"""What goes wrong in practice: people leave, forms are strange, deadlines have passed."""

from datetime import timedelta
from io import BytesIO

import pytest

from haitang.base import clock
from haitang.base.actions import acting
from haitang.base.errors import HaitangError
from haitang.hub.business.cases import actions
from haitang.hub.business.cases.listing import readable, waits_for
from haitang.hub.business.notifications.models import Notice
from haitang.hub.business.procedures.deadlines import attend_due
from haitang.support.security.people.models import Organization
from tests.hub.business.cases.test_api import client, post
from tests.hub.business.cases.test_loop import JPEG, do, handled, photo, raised
from tests.hub.business.world import START, World


@pytest.mark.parametrize("leaves", ["deactivated", "transferred"])
def test_a_colleague_takes_over_from_who_has_left(world: World, leaves: str) -> None:
    named = world.person("second", "ecology", "handler")
    case = do(world.dispatcher, raised(), "dispatch", organization="ecology", person=str(named.pk))
    assert not readable(world.handler).filter(waits_for(world.handler)).exists()
    named.is_active, named.organization_id = leaves != "deactivated", "ecology" if leaves == "deactivated" else "water"
    named.save()
    assert readable(world.handler).filter(waits_for(world.handler)).get() == case
    if leaves == "transferred":
        with pytest.raises(HaitangError, match=r"base\.not_allowed"):
            do(world.second, case, "send_back", reason="已调离")
    case = do(world.handler, case, "handle", 10, note="接手处置", photo=[photo(world.handler, case)])
    assert case.stage == "handled"


def test_nobody_is_given_a_case_who_has_left(world: World) -> None:
    world.people["handler"].is_active = False
    world.people["handler"].save()
    Organization.objects.filter(pk="water").update(active=False)
    with pytest.raises(HaitangError, match="没有这个人员"):
        do(world.dispatcher, raised(), "dispatch", organization="ecology", person=str(world.people["handler"].pk))
    with pytest.raises(HaitangError, match="没有这个单位"):
        do(world.dispatcher, raised(), "dispatch", organization="water")


def test_work_that_is_returned_again_and_again_is_counted_and_timed_anew(world: World) -> None:
    case = handled(world)
    for turn in range(1, 4):
        case = do(world.verifier, case, "return", 60 * turn, reason="仍有扬尘")
        assert (case.stage, case.returned) == ("dispatched", turn)
        assert case.stage_due_at
        assert case.stage_due_at > START + timedelta(minutes=60 * turn)
        case = do(world.handler, case, "handle", 60 * turn + 5, note="再次处置", photo=[photo(world.handler, case)])
    assert do(world.verifier, case, "accept", 300).returned == 3


@pytest.mark.parametrize("what", ["pause", "extend"])
def test_after_the_deadline_the_clock_is_neither_stopped_nor_moved(world: World, what: str) -> None:
    case = do(world.dispatcher, raised(), "dispatch", organization="ecology")
    path, body = {"pause": ("pause", {"reason": "waiting_for_test"}), "extend": ("extension", {"reason": "来不及"})}[what]
    with clock.frozen(START + timedelta(days=3)):
        answer = post(world, "handler", f"/cases/{case.number}/{path}", body)
    assert (answer.status_code, answer.json()["data"]["reasons"]) == (409, ["too_late"])


def test_an_extension_asked_for_in_time_may_be_approved_late(world: World) -> None:
    case = do(world.dispatcher, raised(), "dispatch", organization="ecology")
    with clock.frozen(START + timedelta(minutes=10)), acting(world.handler) as act:
        case = actions.ask_case_extension(act=act, case=case, reason="等待设备", within="1 working day")
    due = case.due_at
    with clock.frozen(START + timedelta(days=3)), acting(world.head) as act:
        assert actions.decide_case_extension(act=act, case=case, approved=True).due_at == due + timedelta(days=1)  # type: ignore[operator]


@pytest.mark.parametrize("text", ["", "  ", "x" * 2001, "a\x00b"])
@pytest.mark.parametrize("word", ["remark", "extend"])
def test_an_empty_huge_or_broken_text_is_refused_on_the_page_and_comes_back(world: World, word: str, text: str) -> None:
    case = do(world.dispatcher, raised(), "dispatch", organization="ecology")
    answer = client(world, "handler").post(f"/cases/{case.number}/do/{word}", {"text": text, "reason": text})
    assert answer.status_code == 422
    assert case.run
    assert case.run.events.count() == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"kind": "dust", "title": "a\x00b"}),
        ("", {"kind": "dust", "title": "x", "severity": "purple"}),
        ("", {"kind": "dust", "title": "x", "thing": "no" * 60}),
        ("", {"kind": "dust", "title": "x", "description": "a\x00b"}),
        ("/NUMBER/moves", {"move": "handle", "answers": {"note": "x" * 2001, "photo": ["0" * 64]}}),
        ("/NUMBER/moves", {"move": "handle", "answers": {"note": {"a": 1}, "photo": 7}}),
        ("/NUMBER/moves", {"move": "han\x00dle"}),
        ("/NUMBER/extension", {"reason": "x", "within": "a week"}),
        ("/NUMBER/extension", {"reason": "x", "within": "99999999999999999999 working days"}),
        ("/NUMBER/pause", {"reason": "waiting_for_test", "note": "a\x00b"}),
        ("/NUMBER/remarks", {"text": "a\x00b"}),
    ],
)
def test_whatever_a_program_sends_is_refused_in_words(world: World, path: str, body: dict[str, object]) -> None:
    case = do(world.dispatcher, raised(), "dispatch", organization="ecology")
    who = "officer" if not path else "handler"
    answer = post(world, who, f"/cases{path.replace('NUMBER', case.number)}", body)
    assert (answer.status_code in (409, 422), bool(answer.json()["message"])) == (True, True), answer.content


def test_a_case_has_at_most_so_many_files(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST_FILES", 1)
    case = do(world.dispatcher, raised(), "dispatch", organization="ecology")
    photo(world.handler, case)
    with pytest.raises(HaitangError, match="最多 1 个附件"), acting(world.handler) as act:
        actions.attach(act=act, case=case, stream=BytesIO(JPEG + b"1"), name="x.jpg")
    monkeypatch.setattr(actions, "MOST_FILES", 9)
    with pytest.raises(HaitangError, match="too_large"), acting(world.handler) as act:
        actions.attach(act=act, case=case, stream=BytesIO(JPEG + b"2"), name="x.jpg", most=50)


def test_reminders_survive_restarts_and_pauses_and_are_given_once(world: World) -> None:
    case = do(world.dispatcher, raised(), "dispatch", 0, organization="ecology")  # due at 15:00
    Notice.objects.all().delete()
    minutes = [*range(290, 312, 2)]
    for minute in minutes:  # the worker looks each two minutes and is started anew each time
        with clock.frozen(START + timedelta(minutes=minute)):
            attend_due()
    assert sorted(Notice.objects.values_list("person__username", "urgency")) == [("both", "due_soon"), ("handler", "due_soon")]
    with clock.frozen(START + timedelta(minutes=320)), acting(world.handler) as act:
        actions.pause_case(act=act, case=case, reason="waiting_for_test")
    with clock.frozen(START + timedelta(hours=9)):
        assert attend_due() == 0
    with clock.frozen(START + timedelta(hours=24)), acting(world.handler) as act:
        actions.resume_case(act=act, case=case)
    for hours in (24.1, 24.2, 24.3, 24.4, 26, 27, 28, 29, 30, 31, 32):
        with clock.frozen(START + timedelta(hours=hours)):
            attend_due()
    told = list(Notice.objects.filter(text__contains="“{stage}”环节").values_list("person__username", "urgency"))
    assert sorted(told) == [("both", "due_soon")] * 2 + [("handler", "due_soon")] * 2 + [("head", "overdue"), ("officer", "overdue")]
