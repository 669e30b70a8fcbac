"""A real instance of the product, started and stopped by a test."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

CHECKOUT = Path(__file__).parents[2]


def clean_environment() -> dict[str, str]:
    """This environment without what the test run says of its own database."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("HAITANG_", "DJANGO_"))}


def haitang(*arguments: str, timeout: float = 100, **kwargs: Any) -> "subprocess.CompletedProcess[str]":
    """Run a command of the product to its end."""
    return subprocess.run(
        [sys.executable, "-m", "haitang.server.cli", *arguments],
        capture_output=True, text=True, timeout=timeout, env=kwargs.pop("environment", None) or clean_environment(), cwd=kwargs.pop("cwd", "/"), **kwargs,
    )  # fmt: skip


_PERSON = """
import secrets, sys
from haitang.base.settings import use
from haitang.server.boot import boot
from haitang.server.instance import settings_of
use(settings_of({"data": sys.argv[1]}, must_run=True))
boot()
from haitang.base.actions import acting, system
from haitang.support.security.people.actions import create_person, give_role
password = secrets.token_urlsafe(18) + "-a1"
with acting(system("operator")) as act:
    person = create_person(act=act, username="test-" + sys.argv[2], name="测试人员（示例）", organization=None, password=password, synthetic=True)
    give_role(act=act, person=person, role=sys.argv[2])
print(password)
"""


class Instance:
    """`haitang up` on a data directory, with free ports."""

    def __init__(
        self, data: Path, *, prefix: tuple[str, ...] = (), options: tuple[str, ...] = (), python: str = sys.executable, path: str = ""
    ) -> None:
        self.data, self.prefix, self.options = data, prefix, options
        self.python, self.environment = python, {**clean_environment(), **({"PYTHONPATH": path} if path else {})}
        self.log = data.parent / f"{data.name}.log"

    def start(self) -> "Instance":
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [*self.prefix, self.python, "-m", "haitang.server.cli", "up", "--data", str(self.data),
                 "--http", "0", "--hj212", "0", "--mqtt", "0", *self.options],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self.environment, cwd="/",
            )  # fmt: skip
        wait_until(lambda: self.told.get("state") == "running" or self.process.poll() is not None, 200)
        assert self.process.poll() is None, self.said
        return self

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8")

    @property
    def told(self) -> dict[str, Any]:
        try:
            return json.loads((self.data / "run" / "instance.json").read_text("utf-8"))  # type: ignore[no-any-return]
        except (OSError, ValueError):
            return {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.told['http']}"

    @property
    def secret(self) -> str:
        """The first administrator's one-time secret."""
        found = re.search(r"一次性口令（[^）]*）：(\S+)", self.said)
        assert found, self.said
        return found[1]

    def signed_in(self, role: str) -> httpx.Client:
        """A synthetic person with a role, made by the operator of the machine and signed in over HTTP."""
        made = subprocess.run(
            [self.python, "-c", _PERSON, str(self.data), role], capture_output=True, text=True, timeout=120, env=self.environment
        )
        assert made.returncode == 0, made.stderr
        client = httpx.Client(base_url=self.url, trust_env=False, timeout=60)
        answer = client.post("/api/session", json={"username": f"test-{role}", "password": made.stdout.split()[-1]})
        assert answer.status_code == 200, answer.text
        return client

    def get(self, path: str, **more: Any) -> httpx.Response:
        """As whoever is not signed in."""
        return httpx.get(f"{self.url}{path}", timeout=60, trust_env=False, **more)

    def ready(self) -> dict[str, Any]:
        """What /ready says. A part that is asked and does not answer within four seconds is none that works, so that a busy machine is to be asked again."""
        return self.get("/ready").json()  # type: ignore[no-any-return]

    def works(self, *parts: str) -> bool:
        told = self.ready()["parts"]
        return all(told[part]["ok"] for part in parts)

    def pid_of(self, name: str) -> int | None:
        """None while it is not noted which it is, and never 0: that would be the tests' own group to who kills it."""
        try:
            return int((self.data / "run" / f"{name}.pid").read_text().split()[0])
        except OSError:
            return None

    def processes(self) -> list[int]:
        """Every process that belongs to this data directory, by what is open or said on its command line or environment."""
        return [pid for pid in _pids() if pid != os.getpid() and _mentions(pid, str(self.data))]

    def stop(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(120)


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _mentions(pid: int, text: str) -> bool:
    try:
        told = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
        return text.encode() in told and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(true: Any, seconds: float = 60) -> None:
    """Wait until `true()` is; fail when it is not within `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")
