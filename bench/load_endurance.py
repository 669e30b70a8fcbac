"""Work that goes on whatever happens to the platform, and remembers what was acknowledged: observations by HTTP, cases and remarks by the JSON API.

Whoever is not answered asks again with the same id, as a device or an integrator does. Nothing here knows when a fault is set.
"""

import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from bench.city import PROPERTIES

INSTANTS = 4  # of each message
PAUSE = 0.2  # seconds between two messages of a device: the load is steady, not the most that the machine takes
_TROUBLE = (httpx.HTTPError, OSError)


@dataclass
class Acknowledged:
    """What was promised to be kept; filled by the threads, read when they have ended."""

    messages: dict[str, tuple[str, int]] = field(default_factory=dict)  # message id -> thing, observations
    cases: dict[str, str] = field(default_factory=dict)  # submission -> case number
    remarks: dict[str, str] = field(default_factory=dict)  # text -> case number
    unsure: set[str] = field(default_factory=set)  # remarks that got no answer
    again: int = 0  # requests that had to be made again
    refused: dict[int, int] = field(default_factory=dict)  # status -> times
    problems: list[str] = field(default_factory=list)

    def note(self, answer: httpx.Response) -> None:
        self.again += 1
        self.refused[answer.status_code] = self.refused.get(answer.status_code, 0) + 1


class Worker(threading.Thread):
    """Repeats `work` until told to stop; a request in flight is first brought to its end."""

    def __init__(self, url: str, known: Acknowledged, stop: threading.Event, seed: int) -> None:
        super().__init__(daemon=True)
        self.client = httpx.Client(base_url=url, timeout=httpx.Timeout(30, connect=3), trust_env=False)
        self.known, self.stop_, self.chance = known, stop, random.Random(seed)

    def run(self) -> None:
        while not self.stop_.is_set():
            try:
                self.work()
            except Exception as problem:
                self.known.problems.append(f"{type(self).__name__}: {type(problem).__name__} {problem}")
                return

    def work(self) -> None:
        raise NotImplementedError

    def insist(self, path: str, patience: float = 120, **request: Any) -> httpx.Response:
        """Post until it is answered with something that trying again would not change. Raises TimeoutError."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            try:
                answer = self.client.post(path, **request)
            except _TROUBLE:
                self.known.again += 1
                time.sleep(0.2)
                continue
            if answer.status_code in (429, 500, 502, 503, 504):
                self.known.note(answer)
                time.sleep(min(float(answer.headers.get("retry-after", "0.3")), 1.0))
                continue
            return answer
        raise TimeoutError(f"{path}: no answer within {patience:.0f} s")


class Posting(Worker):
    """One device: messages in disorder, now and then one twice."""

    def __init__(self, url: str, known: Acknowledged, stop: threading.Event, device: tuple[str, str, str]) -> None:
        super().__init__(url, known, stop, hash(device[2]))
        self.client.auth = (device[0], device[1])
        self.thing, self.next, self.kept = device[2], 0, list[int]()
        self.start_at = datetime.now(UTC) - timedelta(hours=20)

    def work(self) -> None:
        time.sleep(PAUSE)
        number, self.next = self.next, self.next + 1
        if self.chance.random() < 0.2:
            self.kept.append(number)  # comes later than what follows it
            return
        self.send(number)
        if self.chance.random() < 0.05:
            self.send(number)
        if self.kept and self.chance.random() < 0.2:
            self.send(self.kept.pop(0))

    def send(self, number: int) -> None:
        at = self.start_at + timedelta(seconds=number * INSTANTS)
        body = [
            {"property": f"p{p}", "value": (number * 7 + p) % 100 + 0.5, "at": (at + timedelta(seconds=n)).isoformat()}
            for n in range(INSTANTS)
            for p in range(PROPERTIES)
        ]
        id = f"{self.thing}-{number}"
        answer = self.insist("/api/data/observations", json=body, headers={"Idempotency-Key": id})
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")
        self.known.messages[id] = (self.thing, len(body))


class Casing(Worker):
    """One officer: opens cases and writes remarks on them."""

    def __init__(self, url: str, known: Acknowledged, stop: threading.Event, session: httpx.Client) -> None:
        super().__init__(url, known, stop, 7)
        self.client.cookies, self.client.headers = session.cookies, session.headers

    def work(self) -> None:
        once = uuid.uuid4().hex
        body = {"kind": "air_station_fault", "title": "耐久测试（模拟）", "once": once}
        answer = self.insist("/api/cases", json=body)
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")
        self.known.cases[once] = number = answer.json()["number"]
        for _ in range(3):
            self.remark(number)

    def remark(self, number: str) -> None:
        """A remark has no id of its own: without an answer nobody knows whether it is there, and it is not said again."""
        text = uuid.uuid4().hex
        try:
            answer = self.client.post(f"/api/cases/{number}/remarks", json={"text": text})
        except _TROUBLE:
            self.known.unsure.add(text)
            return
        if answer.status_code == 200:
            self.known.remarks[text] = number
        else:
            self.known.unsure.add(text)
            self.known.note(answer)
