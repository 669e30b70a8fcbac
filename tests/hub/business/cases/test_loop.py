"""A case from an alarm to its end: who may do what, what is told to whom, what the log and the evidence keep."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.db import transaction
from django.utils import translation

from haitang.base import clock
from haitang.base.actions import Actor, acting, system
from haitang.base.errors import HaitangError
from haitang.base.ports import Matter, matters
from haitang.base.text import sentence_of
from haitang.hub.business.cases import actions
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.queries import case_by_number, left, moves_for, timeline
from haitang.hub.business.notifications.models import Notice
from haitang.support.security.evidence.models import EvidenceRecord
from tests.hub.business.world import START, World

JPEG = b"\xff\xd8\xff\xe0" + b"0" * 100


def matter(key: str = "dust:station-1", **more: Any) -> Matter:
    return Matter(key=key, case_kind="dust", title="一号站扬尘超标", severity="serious", arose_at=START, **more)


def raised(**more: Any) -> Case:
    with acting(system("rules")) as act:
        return Case.objects.get(pk=matters().raise_matter(matter(**more), act=act))


def do(actor: Actor, case: Case, move: str, minutes: int = 1, **answers: Any) -> Case:
    with clock.frozen(clock.now() + timedelta(minutes=minutes)), acting(actor) as act:
        return actions.move_case(act=act, case=case, move=move, answers=answers)


def photo(actor: Actor, case: Case) -> str:
    with acting(actor) as act:
        return actions.attach(act=act, case=case, stream=BytesIO(JPEG), name="../现场.jpg").digest


def handled(world: World) -> Case:
    case = do(world.dispatcher, raised(), "dispatch", 1, organization="ecology")
    return do(world.handler, case, "handle", 10, note="已覆盖防尘网", photo=[photo(world.handler, case)])


def test_an_alarm_becomes_a_case_that_is_dispatched_handled_verified_and_closed(world: World) -> None:
    case = do(world.verifier, handled(world), "accept", 20)
    assert (case.stage, case.closed_on_time, case.number) == ("closed", True, "990001-2026-000001")
    assert [entry.title for entry in timeline(case)] == ["立案", "派遣", "处置完成", "核查通过"]
    assert case.dispatched_at == START + timedelta(minutes=1)


def test_every_step_leaves_evidence_without_what_people_wrote(world: World) -> None:
    case = do(world.verifier, handled(world), "accept", 20)
    records = EvidenceRecord.objects.filter(subject_kind="case", subject_id=str(case.pk))
    assert {"case.open", "procedure.start", "case.move", "procedure.move", "case.attach"} == set(records.values_list("action", flat=True))
    assert not any("防尘网" in str(facts) for facts in records.values_list("facts", flat=True))


def test_nobody_verifies_their_own_work(world: World) -> None:
    case = do(world.dispatcher, raised(), "dispatch", organization="ecology")
    case = do(world.both, case, "handle", 10, note="处置完毕", photo=photo(world.both, case))
    with pytest.raises(HaitangError, match="应由他人办理") as refused:
        do(world.both, case, "accept", 20)
    assert refused.value.data["reasons"] == ["own_work"]
    assert do(world.verifier, case, "accept", 20).stage == "closed"


def test_only_the_department_that_has_it_handles_it(world: World) -> None:
    case = do(world.dispatcher, raised(), "dispatch", organization="ecology")
    with pytest.raises(HaitangError, match=r"base\.not_allowed"):
        do(world.stranger, case, "handle", note="x", photo="0" * 64)


def test_a_named_person_handles_it(world: World) -> None:
    other = world.person("second", "ecology", "handler")
    case = do(world.dispatcher, raised(), "dispatch", organization="ecology", person=str(other.pk))
    with pytest.raises(HaitangError, match="其他人员"):
        do(world.handler, case, "handle", note="x", photo="0" * 64)
    assert case.handler_id == other.pk


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({}, "处置单位"),
        ({"organization": "nowhere"}, "没有这个单位"),
        ({"organization": "ecology", "person": "nobody"}, "没有这个人员"),
        ({"organization": "ecology", "colour": "red"}, "colour"),
    ],
)
def test_a_bad_answer_says_which_and_moves_nothing(world: World, answers: dict[str, Any], says: str) -> None:
    case = raised()
    with pytest.raises(HaitangError, match=says):
        do(world.dispatcher, case, "dispatch", **answers)
    assert Case.objects.get().stage == "filed"


def test_a_photo_must_have_been_uploaded_to_this_case(world: World) -> None:
    case = do(world.dispatcher, raised(), "dispatch", organization="ecology")
    with pytest.raises(HaitangError, match="没有上传到本案件"):
        do(world.handler, case, "handle", note="x", photo=["a" * 64])


def test_returned_work_goes_round_again(world: World) -> None:
    case = do(world.verifier, handled(world), "return", 30, reason="仍有扬尘")
    assert (case.stage, case.returned, case.handled_at) == ("dispatched", 1, START + timedelta(minutes=10))


def test_one_case_stands_while_the_alarm_lasts(world: World) -> None:
    first = raised(alarm="a1")
    assert raised(alarm="a1").pk == first.pk
    assert raised(alarm="a2").pk == first.pk
    assert Case.objects.count() == 1


def test_an_alarm_whose_case_was_closed_opens_no_second_one_but_a_new_alarm_does(world: World) -> None:
    case = do(world.dispatcher, raised(alarm="a1"), "reject", reason="误报")
    assert case.closed_at
    assert raised(alarm="a1").pk == case.pk
    assert raised(alarm="a2").number == "990001-2026-000002"


def test_a_cleared_cause_is_noted_and_the_case_stays_open(world: World) -> None:
    case = raised()
    with clock.frozen(START + timedelta(hours=1)), acting(system("rules")) as act:
        matters().note_cleared("dust:station-1", at=START + timedelta(minutes=50), act=act)
        matters().note_cleared("dust:station-1", at=START + timedelta(minutes=50), act=act)
    case.refresh_from_db()
    assert (case.closed_at, case.cause_cleared_at) == (None, START + timedelta(minutes=50))
    assert [entry.title for entry in timeline(case)] == ["立案", "起因解除"]


def test_numbers_have_no_gap_when_an_opening_fails(world: World) -> None:
    with pytest.raises(HaitangError, match="no_such_kind"), acting(world.dispatcher) as act:
        actions.open_case(act=act, kind="no_such_kind", title="x")
    with acting(world.dispatcher) as act:
        actions.open_case(act=act, kind="dust", title="x")
        transaction.set_rollback(True)
    assert raised().number == "990001-2026-000001"


def test_who_must_act_next_is_told(world: World) -> None:
    case = do(world.verifier, handled(world), "return", 30, reason="仍有扬尘")
    told = [
        (n.person.username, n.title[:4]) for n in Notice.objects.filter(subject=f"case:{case.pk}").select_related("person").order_by("pk")
    ]
    expected = [("dispatcher", "新案件待"), ("handler", "案件待您"), ("both", "案件待您"), ("both", "案件待您"), ("verifier", "案件待您")]
    assert sorted(told) == sorted([*expected, ("both", "案件待您"), ("handler", "案件待您")])


def test_moves_are_shown_with_the_reason_they_are_refused(world: World) -> None:
    case = raised()
    ready = {found.name: found.refused for found in moves_for(case, world.dispatcher)}
    refused = {found.name: found.refused for found in moves_for(case, world.verifier)}
    assert ready == {"dispatch": [], "reject": []}
    assert refused["dispatch"] == ["需要角色：派遣员"]
    assert list(moves_for(case, world.dispatcher)[0].questions) == ["organization", "person"]


def test_a_reader_of_english_is_answered_in_english(world: World) -> None:
    case = raised()
    with translation.override("en"):
        assert next(found.refused for found in moves_for(case, world.verifier)) == ["needs the role: Dispatcher"]
        with pytest.raises(HaitangError) as refused:
            do(world.dispatcher, case, "dispatch")
        assert sentence_of(refused.value) == "Please check the answers: Organization: please answer"


def test_what_is_left_is_said_in_words(world: World) -> None:
    with clock.frozen(START + timedelta(minutes=10)):
        assert {which: found.text for which, found in left(raised()).items()} == {"stage": "剩余 30 分钟", "legal": "剩余 2 个工作日"}


def test_a_department_reads_its_own_cases_only(world: World) -> None:
    case = raised()
    assert case_by_number(world.handler, case.number) == case
    with pytest.raises(HaitangError, match="只能办理本单位"):
        case_by_number(world.stranger, case.number)
