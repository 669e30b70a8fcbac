"""A real instance under a flood of device messages, uploads and API requests: sign-in and alarms answer, memory stays bounded, who is refused hears when to come again."""

import gzip
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.instances import Instance, haitang

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
SECONDS, MEMORY = 20.0, 900 << 20
PACKED = gzip.compress(
    json.dumps(
        [
            {"property": "pm2_5", "value": n / 100, "at": f"2026-03-01T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}+08:00"}
            for n in range(10_000)
        ]
    ).encode()
)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    made = Instance(tmp_path_factory.mktemp("overload") / "data")
    made.environment |= {"HAITANG_REQUEST_RATE": "0"}
    made.start()
    yield made
    made.stop()


def signed_in(instance: Instance) -> httpx.Client:
    client = httpx.Client(base_url=instance.url, trust_env=False, timeout=60)
    answer = client.post("/api/session", json={"username": "admin", "password": instance.secret})
    assert answer.status_code == 200, answer.text
    return client


def credential(instance: Instance, thing: str) -> tuple[str, str]:
    made = haitang("credential", "issue", thing, "--json", "--data", str(instance.data))
    assert made.returncode == 0, made.stdout + made.stderr
    told = json.loads(made.stdout)
    return told["identifier"], told["secret"]


def resident(instance: Instance, process: str) -> int:
    status = Path(f"/proc/{instance.pid_of(process)}/status").read_text("utf-8")
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10  # type: ignore[index]


class Flood:
    """Threads that ask until told to stop; counts the answers."""

    def __init__(self, instance: Instance, doors: list[tuple[str, str]]) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()
        self.without_word: list[str] = []
        self._stop = threading.Event()
        work = [(self._devices, door) for door in doors for _ in range(8)] + [(self._uploads, None)] * 16 + [(self._tokens, None)] * 32
        self._threads = [threading.Thread(target=self._run, args=(instance.url, *each)) for each in work]

    def _run(self, url: str, ask, door) -> None:  # type: ignore[no-untyped-def]
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            while not self._stop.is_set():
                try:
                    what, answer = ask(client, door)
                except httpx.HTTPError:
                    continue
                self.answers[what, answer.status_code] += 1
                if answer.status_code in (429, 503):
                    if "retry-after" not in answer.headers:
                        self.without_word.append(what)
                    time.sleep(0.2)

    def _devices(self, client: httpx.Client, door: tuple[str, str]) -> tuple[str, httpx.Response]:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Idempotency-Key": f"m-{time.monotonic_ns()}"}
        return "device", client.post("/api/data/observations", content=PACKED, headers=headers, auth=door)

    def _uploads(self, client: httpx.Client, door: None) -> tuple[str, httpx.Response]:
        return "upload", client.post("/gather/upload", files={"file": ("x.csv", b"a,b\n" * 1_000_000)})

    def _tokens(self, client: httpx.Client, door: None) -> tuple[str, httpx.Response]:
        return "token", client.get("/api/cases", headers={"Authorization": "Bearer nobody"})

    def __enter__(self) -> "Flood":
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for each in self._threads:
            each.join(90)


def test_sign_in_and_alarms_answer_under_a_flood(instance: Instance) -> None:
    reader = signed_in(instance)
    doors = [credential(instance, thing) for thing in ("air_longgang", "air_tangxiang", "air_longshui")]
    taken: list[float] = []
    most = 0
    with Flood(instance, doors) as flood:
        time.sleep(3)
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            for path in ("/sign-in", "/api/session", "/alarms"):
                began = time.monotonic()
                answer = reader.get(path)
                taken.append(time.monotonic() - began)
                assert answer.status_code < 400, (path, answer.status_code)
            most = max(most, resident(instance, "front"))
    taken.sort()
    print(
        f"\n{len(taken)} pages: p50 {taken[len(taken) // 2]:.2f} s, p95 {taken[int(len(taken) * 0.95)]:.2f} s; front {most >> 20} MiB; {dict(flood.answers)}"
    )
    assert taken[int(len(taken) * 0.95)] < 10  # clients, flood and platform share the processors
    assert most < MEMORY
    assert not flood.without_word
    assert flood.answers["device", 200]
    assert not [key for key in flood.answers if key[1] in (500, 502, 504)]
