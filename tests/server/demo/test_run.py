"""A whole demonstration, as a visitor finds it: `up --demo`, everybody and everything there, one command takes it away."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from haitang.server.demo import state
from haitang.server.demo.people import CAST
from haitang.server.demo.stories import OPEN, PAST, REPORTS
from tests.server.instances import Instance, haitang, wait_until

pytestmark = pytest.mark.timeout(900)
MOVES = {
    ("dispatcher", "accepted"): {"file", "dismiss"},
    ("dispatcher", "filed"): {"dispatch", "reject"},
    ("handler", "dispatched"): {"handle", "send_back"},
    ("verifier", "handled"): {"accept", "return"},
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A running demonstration whose data are all there; it takes half a minute on a quiet machine."""
    instance = Instance(tmp_path_factory.mktemp("demo") / "data", options=("--demo",)).start()
    try:
        wait_until(lambda: state.read(instance.data).get("percent", 0) >= 100 or instance.process.poll() is not None, 700)
        assert instance.process.poll() is None, instance.said
        told = (instance.data / "logs" / "demo.log").read_text("utf-8")
        assert set(state.read(instance.data)["steps"]) == {"hours", "cases", "inboxes", "resources", "trends"}, told[-6000:]
        yield instance
    finally:
        instance.stop()


class Visitor:
    """A browser's session without a browser, as one of the personas."""

    def __init__(self, demo: Instance, role: str) -> None:
        self.client = httpx.Client(base_url=demo.url, trust_env=False, timeout=60, follow_redirects=True)
        self.client.get("/sign-in")
        self.client.post(f"/personas/{role}", data={"next": "/", "csrfmiddlewaretoken": self.client.cookies["csrftoken"]})

    def json(self, path: str, **query: Any) -> Any:
        answer = self.client.get(path, params=query, headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def page(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text


def test_every_persona_is_offered_and_finds_something_to_do(demo: Instance) -> None:
    offered = demo.get("/sign-in").text
    assert set(re.findall(r'action="/personas/([a-z_]+)"', offered)) == set(CAST)
    idle = [role for role in CAST if "未读 0 条" in Visitor(demo, role).page("/inbox")]
    assert idle == []


def test_ninety_days_lie_behind_and_say_that_they_are_replayed(demo: Instance) -> None:
    visitor = Visitor(demo, "dispatcher")
    (series,) = visitor.json("/charts/indicators/good_air_days")["series"]
    assert len(series["points"]) >= 85
    assert "回放数据" in visitor.page("/")


def test_cases_stand_at_every_stage_and_each_persona_has_its_moves(demo: Instance) -> None:
    auditor = Visitor(demo, "auditor")
    told = auditor.json("/api/cases", size=200)["cases"]
    assert len(told) >= len(OPEN) + len(PAST) + len(REPORTS)
    assert {case["stage"] for case in told} == {"accepted", "filed", "dispatched", "handled", "closed", "rejected", "dismissed"}
    assert {case["origin"] for case in told} == {"replay", "simulated"}
    assert any(case["paused"] for case in told)
    assert any(case["escalated"] for case in told)
    for (role, stage), moves in MOVES.items():
        visitor = Visitor(demo, role)
        number = visitor.json("/api/cases", stage=stage, mine=role == "handler")["cases"][0]["number"]
        assert moves <= {move["move"] for move in visitor.json(f"/api/cases/{number}/moves") if move["allowed"]}, role
    assert any(auditor.json(f"/api/cases/{case['number']}")["extension_asked"] for case in told if case["stage"] == "dispatched")


def test_everything_shown_to_an_auditor_is_sealed_and_told(demo: Instance) -> None:
    wait_until(lambda: "✓ 封存" in Visitor(demo, "auditor").page("/evidence?action=case.demonstrate"), 120)


def test_one_command_removes_all_of_it(demo: Instance) -> None:
    refused = haitang("demo", "remove", "--data", str(demo.data), "--yes")
    assert "demo.running" in refused.stderr
    demo.stop()
    told = haitang("demo", "remove", "--data", str(demo.data), "--yes", "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["files"] > 100
    assert not Path(demo.data).exists()
    wait_until(lambda: demo.processes() == [])
