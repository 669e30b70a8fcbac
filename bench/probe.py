"""Asks, while a load goes on, whether every service of an instance is there: `/ready`, an observation stored, a case read."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from bench.instance import last_taken, taken

WAITS = 5.0  # seconds for one answer


class Probe:
    """`person` reads a case, `device` (identifier, secret, thing) posts."""

    def __init__(self, instance: Any, person: Any, device: tuple[str, str, str]) -> None:
        self.data = instance.data
        self.person, self.device, self.wrong = person, device, ""
        self.full: dict[str, str] = {}  # what was answered while the disk was full
        self.last = ""  # what was wrong last, for who asks why it took so long
        self.session = person.enter(httpx.Client(base_url=instance.url, timeout=WAITS, trust_env=False))
        self.bare = httpx.Client(base_url=instance.url, timeout=WAITS, trust_env=False)

    def good(self) -> bool:
        """Whether all is there; `wrong` says what is not."""
        try:
            self.wrong = self._ready() or self._stores() or self._shows()
        except (httpx.HTTPError, OSError, ValueError) as problem:
            self.wrong = f"{type(problem).__name__} {problem}"
        if self.wrong:
            self.last = self.wrong
        return not self.wrong

    def _ready(self) -> str:
        answer = self.bare.get("/ready")
        if answer.status_code == 200:
            return ""
        parts = answer.json().get("parts", {})
        return f"not ready: {', '.join(name for name, part in parts.items() if not part['ok']) or answer.text[:160]}"

    def forks(self) -> bool:
        """Whether that is there which the next process to die is forked from."""
        from haitang.server.beat import is_alive

        return is_alive(self.data / "run", "zygote")

    def through(self) -> Callable[[], bool]:
        """Whether what is on the stream now is in the lake and judged."""
        last = last_taken()
        return lambda: all(taken(consumer, last) for consumer in ("writer", "rules"))

    def on_full_disk(self) -> None:
        """Note what is said, while not one byte is left, to a device, to who reads and to who signs in."""
        asked = {"a device": self._post, "who read a case": self._read, "who signed in": self._sign_in}
        self.full = {who: _said(ask) for who, ask in asked.items()}

    def _sign_in(self) -> httpx.Response:
        """The answer to somebody who signs in, and then reads."""
        with httpx.Client(base_url=self.bare.base_url, timeout=20, trust_env=False) as stranger:
            return self.person.enter(stranger).get("/api/cases", params={"size": 1})  # type: ignore[no-any-return]

    def _shows(self) -> str:
        answer = self._read()
        if answer.status_code in (401, 403):  # a clock that jumps ahead ends idle sessions, as it should
            self.person.enter(self.session)
        return "" if answer.status_code == 200 else f"cases {answer.status_code} {answer.text[:300]}"

    def _stores(self) -> str:
        answer = self._post()
        return "" if answer.status_code == 200 else f"observations {answer.status_code} {answer.text[:300]}"

    def _read(self) -> httpx.Response:
        return self.session.get("/api/cases", params={"size": 1})

    def _post(self) -> httpx.Response:
        return self.bare.post(
            "/api/data/observations",
            json=[{"property": "p0", "value": 1.0}],
            auth=self.device[:2],
            headers={"Idempotency-Key": f"probe-{time.time_ns()}"},
            timeout=40,
        )


def _said(ask: Callable[[], httpx.Response]) -> str:
    try:
        answer = ask()
    except Exception as problem:
        return f"nothing ({type(problem).__name__} {str(problem)[:100]})"
    return f"{answer.status_code}{' with Retry-After' if 'retry-after' in answer.headers else ''}"
