"""One who works on the platform whatever happens to it, and the common book of what was acknowledged."""

import json
import random
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

TROUBLE = (httpx.HTTPError, OSError)


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
    twice: int = 0  # messages that were sent again though they were answered
    late: int = 0  # messages that came after what followed them
    again: int = 0  # requests and commands that had to be made again
    refused: dict[int, int] = field(default_factory=dict)  # status -> times
    said: dict[str, int] = field(default_factory=dict)  # why a command failed -> times
    problems: list[str] = field(default_factory=list)

    def told(self) -> str:
        """What was acknowledged until now, as JSON, for `of`."""
        kept = {"messages": dict(self.messages), "at": dict(self.at), "cases": dict(self.cases), "remarks": dict(self.remarks)}
        return json.dumps({**kept, "files": [asdict(each) for each in list(self.files)]})

    @classmethod
    def of(cls, told: str) -> "Acknowledged":
        """What `told` gave."""
        kept = json.loads(told)
        return cls(**{**kept, "files": [File(**each) for each in kept["files"]]})

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
            except TROUBLE:
                self.known.again += 1
                time.sleep(0.2)
                continue
            if answer.status_code in (429, 500, 502, 503, 504):
                self.known.note(answer)
                time.sleep(min(float(answer.headers.get("retry-after", "0.3")), 1.0))
                continue
            return answer
        raise TimeoutError(f"{path}: no answer within {patience:.0f} s")
