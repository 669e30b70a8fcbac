"""Work that goes on whatever happens to the platform, and remembers what was acknowledged: observations by HTTP, cases and remarks by the JSON API, files by command.

Whoever is not answered asks again with the same id, as a device or an integrator does. Nothing here knows when a fault is set.
"""

import json
import random
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bench.city import PROPERTIES
from bench.made_firms import write

INSTANTS = 4  # of each message
PAUSE = 0.2  # seconds between two messages of a device: the load is steady, not the most that the machine takes
ROWS, REST = 100_000, 5.0  # of a file; seconds between two files
_TROUBLE = (httpx.HTTPError, OSError)
_NO_SESSION = (401, 403)  # a clock that jumps ahead ends idle sessions, as it should


@dataclass(frozen=True)
class File:
    """What the command told of a gathered file whose numbers begin at `first`, beside what was written into it."""

    first: int
    bad: int
    told: dict[str, Any]


@dataclass
class Acknowledged:
    """What was promised to be kept; filled by the threads, read when they have ended."""

    messages: dict[str, int] = field(default_factory=dict)  # message id -> observations
    at: dict[str, str] = field(default_factory=dict)  # message id -> time of day of its answer
    cases: dict[str, str] = field(default_factory=dict)  # submission -> case number
    remarks: dict[str, str] = field(default_factory=dict)  # text -> case number
    unsure: set[str] = field(default_factory=set)  # remarks that got no answer
    files: list[File] = field(default_factory=list)
    again: int = 0  # requests and commands that had to be made again
    refused: dict[int, int] = field(default_factory=dict)  # status -> times
    said: dict[str, int] = field(default_factory=dict)  # why a command failed -> times
    problems: list[str] = field(default_factory=list)

    def note(self, answer: httpx.Response) -> None:
        self.again += 1
        self.refused[answer.status_code] = self.refused.get(answer.status_code, 0) + 1
        if answer.status_code == 500:
            why = f"{answer.request.url.path.split('/')[2]} {answer.text[:150]}"
            self.said[why] = self.said.get(why, 0) + 1


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
        super().__init__(url, known, stop, int(device[2].rpartition("_")[2]))
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
        self.known.messages[id], self.known.at[id] = len(body), time.strftime("%H:%M:%S")


class Casing(Worker):
    """One officer: opens cases and writes remarks on them."""

    def __init__(self, url: str, known: Acknowledged, stop: threading.Event, person: Any) -> None:
        super().__init__(url, known, stop, 7)
        self.person = person
        person.enter(self.client)

    def work(self) -> None:
        once = uuid.uuid4().hex
        answer = self.open(once)
        if answer.status_code in _NO_SESSION:
            self.enter()
            answer = self.open(once)
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")
        self.known.cases[once] = number = answer.json()["number"]
        for _ in range(3):
            self.remark(number)

    def open(self, once: str) -> httpx.Response:
        return self.insist("/api/cases", json={"kind": "air_station_fault", "title": "耐久测试（模拟）", "once": once})

    def enter(self, patience: float = 60) -> None:
        """Sign in again; what is away while this is asked is waited for."""
        until = time.monotonic() + patience
        while True:
            try:
                self.person.enter(self.client)
                return
            except Exception:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)

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
        elif answer.status_code not in _NO_SESSION:  # which the next case sees to
            self.known.unsure.add(text)
            self.known.note(answer)


class Gathering(Worker):
    """One operator: gathers file after file by command, one that failed again. Numbers of a file are in no other."""

    def __init__(self, instance: Any, known: Acknowledged, stop: threading.Event, folder: Path) -> None:
        super().__init__(instance.url, known, stop, 11)
        self.instance, self.folder, self.next = instance, folder, 0
        folder.mkdir()

    def work(self, patience: float = 180) -> None:
        first, self.next = self.next, self.next + ROWS
        file = self.folder / f"firms_{first}.csv"
        bad = write(file, ROWS, first)
        until = time.monotonic() + patience
        while True:
            done = self.gather(file)
            if done.returncode in (0, 1) and done.stdout.startswith("{"):
                self.known.files.append(File(first, bad, json.loads(done.stdout)))
                file.unlink()
                self.stop_.wait(REST)
                return
            self.known.again += 1
            why = (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2][-120:]
            self.known.said[why] = self.known.said.get(why, 0) + 1
            if time.monotonic() > until:
                raise TimeoutError(f"{file.name}: {why}")
            time.sleep(0.5)

    def gather(self, file: Path) -> "subprocess.CompletedProcess[str]":
        command = self.instance.command("gather", str(file), "--resource", "bench_firm", "--json")
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def officer(url: str) -> Any:
    """A synthetic dispatcher of the bureau."""
    from haitang.server.tour.personas import make

    return make(url, "dispatcher", "bureau")


@contextmanager
def working(instance: Any, devices: list[tuple[str, str, str]], person: Any, files: Path) -> Iterator[Acknowledged]:
    """The load goes on in the block; at its end what is in flight is brought to its end."""
    known, stop = Acknowledged(), threading.Event()
    load = [
        *(Posting(instance.url, known, stop, device) for device in devices),
        Casing(instance.url, known, stop, person),
        Gathering(instance, known, stop, files),
    ]
    for each in load:
        each.start()
    try:
        yield known
    finally:
        stop.set()
        for each in load:
            each.join(200)
            if each.is_alive():
                known.problems.append(f"{type(each).__name__}: did not come to its end")
