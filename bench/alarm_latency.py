"""From a device's reading to its alarm in a browser, while others post 5,000 observations a second."""

import json
import secrets
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bench import city
from bench.figures import Figure, Options
from bench.instance import city_running, processor_seconds
from bench.sensing_http import BATCH, credentials

TITLE = "Reading to alarm in a browser, at 5,000 observations/s"
RATE = 5000  # observations a second beside
DEVICES, PROBES = 2000, 500  # the last PROBES devices are the ones that raise alarms; the others are the load
APART = 0.7  # seconds between two alarms
CONNECTIONS = 10
CHECKOUT = Path(__file__).parents[1]


def run(options: Options) -> list[Figure]:
    probes = 60 if options.quick else PROBES
    with city_running(options.data, DEVICES) as instance:
        username, password = _officer()
        given = {thing: (identifier, secret) for identifier, secret, thing in credentials()}
        watched = [city.thing(number) for number in range(DEVICES - PROBES, DEVICES)]
        others = [(*given[thing], thing) for thing in given if thing not in watched]
        seconds = probes * APART + 15
        with _watching(instance.url, username, password) as browser, _load(instance.http, seconds, others) as load:
            time.sleep(5)  # the load has come into its stride
            used = processor_seconds(instance.data)
            sent = _probe(instance.url, [(thing, *given[thing]) for thing in watched[:probes]])
            used = {name: spent - used.get(name, 0) for name, spent in processor_seconds(instance.data).items()}
            time.sleep(5)
            seen = _told(browser)
            beside = _rate(load)
    shown, told = ([seen[sort].get(title, float("inf")) - at for title, at in sent.items()] for sort in ("shown", "told"))
    return [
        Figure("reading to alarm shown in the browser, p50", _part(shown, 0.50), "s"),
        Figure("reading to alarm shown in the browser, p99", _part(shown, 0.99), "s", goal=1.0, more=False),
        Figure("reading to alarm told to the page, p50", _part(told, 0.50), "s"),
        Figure("reading to alarm told to the page, p99", _part(told, 0.99), "s"),
        Figure("alarms that did not come", sum(each == float("inf") for each in shown), "alarms", goal=0, more=False),
        Figure("observations beside", beside, "observations/s"),
        *(Figure(f"processor, {name}", spent / (probes * APART) * 100, "% of one") for name, spent in used.items() if spent > 0.2),
    ]


def _part(latencies: list[float], part: float) -> float:
    return sorted(latencies)[min(int(len(latencies) * part), len(latencies) - 1)]


def _officer() -> tuple[str, str]:
    """Someone who may see alarms."""
    from haitang.base.actions import acting, system
    from haitang.support.security.people.actions import create_person, give_role

    username, password = "bench_officer", f"bench-{secrets.token_hex(8)}"
    with acting(system("operator")) as act:
        person = create_person(act=act, username=username, name="测量员", organization="bureau", password=password, synthetic=True)
        give_role(act=act, person=person, role="duty_officer")
    return username, password


class _watching:
    """The browser, from its sign-in to its end."""

    def __init__(self, url: str, username: str, password: str) -> None:
        command = [sys.executable, "-m", "bench.watch_alarms", url, username, password]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)

    def __enter__(self) -> "subprocess.Popen[str]":
        assert self._process.stdout
        if self._process.stdout.readline().strip() != "ready":
            raise RuntimeError("the browser did not come to the cockpit")
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


def _told(browser: "subprocess.Popen[str]") -> dict[str, dict[str, float]]:
    assert browser.stdin
    assert browser.stdout
    browser.stdin.write("tell\n")
    browser.stdin.flush()
    return json.loads(browser.stdout.readline())  # type: ignore[no-any-return]


class _load:
    """Batches at RATE for so many seconds, by devices that raise no alarm."""

    def __init__(self, port: int, seconds: float, devices: list[tuple[str, str, str]]) -> None:
        batches = int(seconds * RATE / BATCH / CONNECTIONS)
        command = [sys.executable, "-m", "bench.load_http", str(port), str(CONNECTIONS), str(batches), str(time.time() - 86_400), str(RATE)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
        assert self._process.stdin
        self._process.stdin.write("".join(" ".join(device) + "\n" for device in devices))
        self._process.stdin.close()

    def __enter__(self) -> "subprocess.Popen[str]":
        return self._process

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait(30)


def _rate(load: "subprocess.Popen[str]") -> float:
    """Observations a second that were answered; the load ends by itself."""
    assert load.stdout
    told: dict[str, Any] = json.loads(load.stdout.read())
    return float(told["answered"] * BATCH / told["seconds"])


def _probe(url: str, devices: list[tuple[str, str, str]]) -> dict[str, float]:
    """A reading over the threshold from one device after the other; when each was sent, by title of its device."""
    sent, due = dict[str, float](), time.time()
    posting = []
    for thing, identifier, secret in devices:
        due += APART
        time.sleep(max(0.0, due - time.time()))
        sent[thing.replace("bench_thing_", "测量设备 ")] = time.time()
        posting.append(threading.Thread(target=_post, args=(url, identifier, secret)))
        posting[-1].start()
    for each in posting:
        each.join()
    return sent


def _post(url: str, identifier: str, secret: str) -> None:
    reading = [{"property": "p0", "value": 999.5, "at": datetime.now(UTC).isoformat()}]
    answer = httpx.post(f"{url}/api/data/observations", json=reading, auth=(identifier, secret), timeout=60, trust_env=False)
    answer.raise_for_status()
