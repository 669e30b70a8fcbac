"""Work that goes on whatever happens to the platform, and remembers what was acknowledged: observations of devices (`bench.devices`), cases and remarks by the JSON API, files by command.

Whoever is not answered asks again with the same id, as a device or an integrator does. Nothing here knows when a fault is set.
"""

import json
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.devices import posting
from bench.made_firms import write
from bench.worker import TROUBLE, Acknowledged, File, Worker

ROWS, REST = 50_000, 5.0  # of a file; seconds between two files
_NO_SESSION = (401, 403)  # a clock that jumps ahead ends idle sessions, as it should


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
        except TROUBLE:
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
        *(posting(instance, known, stop, number, device) for number, device in enumerate(devices)),
        Casing(instance.url, known, stop, person),
        Gathering(instance, known, stop, files),
    ]
    for each in load:
        each.start()
    try:
        yield known
    finally:
        stop.set()
    for each in load:  # where the block was broken off nobody waits for them
        each.join(200)
        if each.is_alive():
            known.problems.append(f"{type(each).__name__}: did not come to its end")
