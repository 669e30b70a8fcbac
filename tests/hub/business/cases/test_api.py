"""Cases over HTTP, as a program or the pages use them."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.hub.business.cases.test_loop import JPEG, raised
from tests.hub.business.world import World


def client(world: World, name: str) -> Client:
    found = Client()
    found.force_login(world.people[name], backend="django.contrib.auth.backends.ModelBackend")
    return found


def post(world: World, name: str, path: str, body: Any = None) -> Any:
    return client(world, name).post(f"/api{path}", body or {}, content_type="application/json")


def test_a_case_goes_round_over_http(world: World) -> None:
    number = raised().number
    assert (
        post(world, "dispatcher", f"/cases/{number}/moves", {"move": "dispatch", "answers": {"organization": "ecology"}}).status_code == 200
    )
    upload = {"file": SimpleUploadedFile("现场.jpg", JPEG, "text/html")}
    attached = client(world, "handler").post(f"/api/cases/{number}/attachments", upload).json()
    assert (attached["name"], attached["media_type"]) == ("现场.jpg", "image/jpeg")
    handled = {"move": "handle", "answers": {"note": "已覆盖", "photo": [attached["digest"]]}}
    assert post(world, "handler", f"/cases/{number}/moves", handled).json()["stage"] == "handled"
    assert post(world, "verifier", f"/cases/{number}/moves", {"move": "accept"}).json()["closed_on_time"] is True
    detail = client(world, "auditor").get(f"/api/cases/{number}").json()
    assert [entry["title"] for entry in detail["timeline"]] == ["立案", "派遣", "处置完成", "核查通过"]
    shown = client(world, "auditor").get(f"/api/cases/{number}/attachments/{attached['digest']}")
    assert (b"".join(shown.streaming_content), shown["X-Content-Type-Options"]) == (JPEG, "nosniff")


def test_pausing_extending_and_remarking(world: World) -> None:
    number = raised().number
    post(world, "dispatcher", f"/cases/{number}/moves", {"move": "dispatch", "answers": {"organization": "ecology"}})
    assert post(world, "handler", f"/cases/{number}/pause", {"reason": "waiting_for_test"}).json()["paused"] is True
    assert post(world, "handler", f"/cases/{number}/resume").json()["paused"] is False
    before = client(world, "head").get(f"/api/cases/{number}").json()["due_at"]
    assert post(world, "handler", f"/cases/{number}/extension", {"reason": "等待设备", "within": "1 working day"}).status_code == 200
    assert post(world, "head", f"/cases/{number}/extension/decision", {"approved": True}).json()["due_at"] > before
    assert post(world, "officer", f"/cases/{number}/remarks", {"text": "请加快"}).status_code == 200


@pytest.mark.parametrize(
    ("who", "path", "body", "status", "code"),
    [
        ("auditor", "/moves", {"move": "dispatch", "answers": {"organization": "ecology"}}, 403, "base.not_allowed"),
        ("stranger", "/moves", {"move": "handle"}, 403, "base.not_allowed"),
        ("dispatcher", "/moves", {"move": "fly"}, 409, "procedures.refused"),
        ("dispatcher", "/moves", {"move": "dispatch"}, 422, "forms.bad_answers"),
        ("handler", "/pause", {"reason": "tired"}, 409, "procedures.refused"),
        ("handler", "/resume", {}, 409, "procedures.refused"),
        ("head", "/extension/decision", {"approved": True}, 409, "procedures.refused"),
    ],
)
def test_a_refusal_says_code_and_sentence(world: World, who: str, path: str, body: Any, status: int, code: str) -> None:
    answer = post(world, who, f"/cases/{raised().number}{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]


def test_nobody_reads_cases_without_signing_in(world: World) -> None:
    assert Client().get("/api/cases").status_code == 401


def test_there_is_no_such_case(world: World) -> None:
    assert client(world, "auditor").get("/api/cases/1").json()["code"] == "cases.no_case"


def test_moves_come_with_their_questions(world: World) -> None:
    moves = client(world, "dispatcher").get(f"/api/cases/{raised().number}/moves").json()
    assert [(found["move"], found["allowed"], list(found["questions"])) for found in moves] == [
        ("dispatch", True, ["organization", "person"]),
        ("reject", True, ["reason"]),
    ]


def test_a_case_is_opened_by_hand(world: World) -> None:
    made = post(world, "officer", "/cases", {"kind": "dust", "title": "群众反映扬尘", "longitude": 105.7, "latitude": 29.7}).json()
    assert (made["stage"], made["organization"], made["origin"]) == ("filed", "ecology", "live")


def test_lists_and_figures(world: World) -> None:
    raised()
    reader = client(world, "auditor")
    assert reader.get("/api/cases", {"stage": "filed", "mine": "false"}).json()["total"] == 1
    assert reader.get("/api/cases", {"sort": "colour"}).status_code == 422
    period = {"since": "2026-11-01T00:00:00+08:00", "until": "2026-12-01T00:00:00+08:00"}
    assert reader.get("/api/cases/statistics", {**period, "by": "kind"}).json()[0]["opened"] == 1
    assert reader.get("/api/cases/statistics").json()["code"] == "cases.no_period"
    assert reader.get("/api/cases/statistics", {**period, "by": "colour"}).json()["code"] == "cases.bad_group"


def test_too_large_or_strange_files_are_refused(world: World) -> None:
    path = f"/api/cases/{raised().number}/attachments"
    answer = client(world, "dispatcher").post(path, {"file": SimpleUploadedFile("x.jpg", b"\x7fELF\x00", "image/jpeg")})
    assert (answer.status_code, answer.json()["code"]) == (415, "files.not_accepted")
