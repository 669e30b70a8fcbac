"""A case opened by hand: the form of its type, once however often it is sent."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.queries import state_of_case
from haitang.support.security.people.models import Organization
from tests.hub.business.cases.test_api import client, post
from tests.hub.business.cases.test_at_once import together
from tests.hub.business.world import World, declare

FORM = {
    "cases/report.yaml": "title: 群众反映\ncode: '0303'\nprocedure: site_inspection\ngoes_to: ecology_bureau\nform: report\n",
    "forms/report.yaml": (
        "title: 反映\nquestions:\n  title: {title: 反映人说法, max_length: 20}\n  channel: {title: 渠道, type: choice, choices: {hotline: 热线, visit: 来访}}\n"
        "  seen: {title: 发现日期, type: date, required: false}\n  unit: {title: 相关单位, type: organization, required: false}\n"
    ),
}
BASE = {"kind": "report", "title": "夜间扬尘", "severity": "serious", "description": "工地无覆盖"}
ANSWERS = {"answer-title": "灰大", "answer-channel": "hotline"}


@pytest.fixture
def desk(world: World) -> Client:
    declare(application=FORM)
    return client(world, "officer")


def test_choosing_a_type_shows_the_questions_of_its_form(desk: Client) -> None:
    plain = desk.get("/cases/new").content.decode()
    assert "answer-channel" not in plain
    shown = desk.post("/cases/new", {**BASE, "choose": "1"}).content.decode()
    assert 'name="answer-channel"' in shown
    assert "工地无覆盖" in shown
    assert not Case.objects.exists()


def test_its_answers_are_kept_with_the_case(desk: Client) -> None:
    answer = desk.post("/cases/new", {**BASE, **ANSWERS})
    case = Case.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/cases/{case.number}")
    assert case.facts == {"answers": {"title": "灰大", "channel": "hotline"}}
    assert state_of_case(case).facts["answers.channel"] == "hotline"


def test_its_page_shows_the_answers_under_their_titles(desk: Client) -> None:
    desk.post("/cases/new", {**BASE, **ANSWERS, "answer-unit": "water"})
    shown = desk.get(f"/cases/{Case.objects.get().number}").content.decode()
    assert "<dt>渠道</dt><dd>热线</dd>" in shown
    assert f"<dt>相关单位</dt><dd>{Organization.objects.get(pk='water').title}</dd>" in shown


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"answer-channel": ""}, "请填写"),
        ({"answer-channel": "letter"}, "请从"),
        ({"answer-title": "长" * 21}, "最多 20 字"),
        ({"answer-seen": "yesterday"}, "应为日期"),
        ({"answer-unit": "nowhere"}, "没有这个单位"),
        ({"title": " "}, "请填写"),
        ({"kind": "unheard_of"}, "unheard_of"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(desk: Client, changes: dict[str, str], says: str) -> None:
    answer = desk.post("/cases/new", {**BASE, **ANSWERS, **changes})
    assert answer.status_code >= 400
    assert says in answer.content.decode()
    assert "工地无覆盖" in answer.content.decode()
    assert not Case.objects.exists()


def test_a_form_that_is_sent_twice_opens_one_case(desk: Client, world: World) -> None:
    once = {"once": "11111111-1111-1111-1111-111111111111"}
    first, second = (desk.post("/cases/new", {**BASE, **ANSWERS, **once}) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    body: dict[str, Any] = {"kind": "dust", "title": "扬尘", "once": "a"}
    assert len({post(world, "officer", "/cases", body).json()["number"] for _ in range(2)}) == 1
    assert Case.objects.count() == 2
    assert len({post(world, "officer", "/cases", {**body, "once": ""}).json()["number"] for _ in range(2)}) == 2


def test_the_api_asks_the_form_too(desk: Client, world: World) -> None:
    refused = post(world, "officer", "/cases", {"kind": "report", "title": "扬尘"})
    assert (refused.status_code, set(refused.json()["data"]["by_question"])) == (422, {"title", "channel"})
    made = post(world, "officer", "/cases", {"kind": "report", "title": "扬尘", "answers": {"title": "灰大", "channel": "visit"}})
    assert made.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_the_same_moment_open_one_case(world: World) -> None:
    def click() -> str:
        try:
            return str(post(world, "officer", "/cases", {"kind": "dust", "title": "扬尘", "once": "b"}).json()["number"])
        finally:
            connection.close()

    assert together(click, click, click) == ["990001-2026-000001"] * 3
    assert Case.objects.count() == 1
