"""A fresh instance for the tour: `haitang up` as a user would run it, on free ports."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from haitang.base.errors import error
from haitang.base.settings import settings
from haitang.server.supervisor.logs import last_lines
from haitang.support.infrastructure.embedded.ports import free_port
from haitang.support.security.tls.contexts import verifying

DID_NOT_START = error("tour.did_not_start", 500, "平台没有就绪（最多等 {seconds} 秒）。最后的状态：{state}。日志 {log} 的末尾：\n{tail}")


@dataclass(frozen=True)
class Instance:
    """Where the instance of the tour listens and keeps its data."""

    data: Path
    place: str
    http: int
    hj212: int
    mqtt: int = 0

    @property
    def url(self) -> str:
        return replace(settings(), http=self.http).reached("127.0.0.1")

    @property
    def log(self) -> Path:
        return self.data / "tour.log"

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "haitang.server.cli", *words, "--data", str(self.data)]


def _ready(instance: Instance) -> tuple[bool, Any]:
    try:
        answer = httpx.get(f"{instance.url}/ready", timeout=5, trust_env=False, verify=verifying())
        return answer.status_code == 200, answer.json()
    except (httpx.HTTPError, json.JSONDecodeError) as problem:
        return False, str(problem)


def wait_until_ready(instance: Instance, process: subprocess.Popen[bytes], seconds: float) -> Any:
    """The answer of `/ready` once it is good; raises DID_NOT_START."""
    deadline = time.monotonic() + seconds
    state: Any = None
    while time.monotonic() < deadline and process.poll() is None:
        good, state = _ready(instance)
        if good:
            return state
        time.sleep(0.5)
    raise DID_NOT_START(seconds=int(seconds), log=instance.log, state=state, tail=last_lines(instance.data, "tour"))


@contextmanager
def running(data: Path, place: str, *, seconds: float = 180) -> Iterator[Instance]:
    """Start an instance in `data`, wait until it is ready, and stop it cleanly at the end."""
    data.mkdir(parents=True, exist_ok=True)
    instance = Instance(data, place, free_port(), free_port(), free_port())
    instance.log.unlink(missing_ok=True)
    with starting(instance, seconds=seconds):
        yield instance


@contextmanager
def starting(instance: Instance, *, seconds: float = 180) -> Iterator[None]:
    """Start this instance, which may have run before, wait until it is ready, and stop it cleanly at the end."""
    ports = ["--http", str(instance.http), "--hj212", str(instance.hj212), "--mqtt", str(instance.mqtt)]
    with instance.log.open("ab") as log:
        process = subprocess.Popen(
            [*instance.command("up"), "--place", instance.place, *ports],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            wait_until_ready(instance, process, seconds)
            yield
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
