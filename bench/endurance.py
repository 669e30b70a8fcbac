"""Faults set at random points under load, and then the books compared: what was acknowledged is there, once.

Faults: kill -9 of every process, of PostgreSQL and of NATS; engines that hang as behind a broken network (stopped, then continued); a full disk. The load
posts observations in disorder and twice, opens cases and writes remarks (`bench.load_endurance`).
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.figures import Figure, Options
from bench.instance import city_running, judged, until
from bench.load_endurance import Acknowledged, Casing, Posting
from bench.sensing_http import credentials

TITLE = "Endurance: faults under load, nothing acknowledged lost or doubled"
DEVICES = 40
BACK = 10.0  # seconds within which service is back
HANGS = 6.0  # seconds that a hanging engine hangs
DISK = 3 * 1024**3  # bytes of the disk that is filled
NOT_KILLED = {"up", "supervisor", "demo"}


@dataclass
class Fault:
    """One fault and how long service was away from its end."""

    name: str
    back: float


def run(options: Options) -> list[Figure]:
    chance, rounds = random.Random(), 8 if options.quick else 50
    known, faults = Acknowledged(), list[Fault]()
    with disk(options.data) as (folder, small), city_running(folder, DEVICES) as instance:
        stop, session = threading.Event(), _officer(instance.url)
        load = [Posting(instance.url, known, stop, device) for device in credentials()[1:]] + [Casing(instance.url, known, stop, session)]
        for each in load:
            each.start()
        probe = Probe(instance, session)
        names = sorted({file.stem for file in (instance.data / "run").glob("*.pid")} - NOT_KILLED)
        order = [names[n % len(names)] for n in range(rounds)]
        chance.shuffle(order)
        for name in order:
            time.sleep(chance.uniform(0.5, 3))
            faults.append(probe.after(f"kill -9 {name}", lambda name=name: _kill(instance.data, name)))
        for name in ("nats", "postgres") * (1 if options.quick else 3):
            time.sleep(chance.uniform(0.5, 3))
            faults.append(probe.after(f"{name} hangs {HANGS:.0f} s", lambda name=name: _hang(instance.data, name)))
        if small:
            faults.append(probe.after("disk full", lambda: _fill(folder)))
        stop.set()
        for each in load:
            each.join(180)
        return [*_told(faults, known), *_compared(instance, known), *([] if small else [_skipped()])]


def _told(faults: list[Fault], known: Acknowledged) -> list[Figure]:
    kinds = Counter(fault.name for fault in faults)
    worst = {name: max(fault.back for fault in faults if fault.name == name) for name in kinds}
    return [
        Figure("faults set", len(faults), "faults"),
        *(
            Figure(f"back in service after {name}, worst of {kinds[name]}", worst[name], "s", goal=BACK, more=False)
            for name in sorted(kinds)
        ),
        Figure("requests made again", known.again, "requests"),
        *(Figure(f"answers {status}", count, "requests") for status, count in sorted(known.refused.items())),
        Figure("answers 500", known.refused.get(500, 0), "requests", goal=0, more=False),
        Figure("workers that gave up: " + "; ".join(known.problems)[:200], len(known.problems), "workers", goal=0, more=False),
    ]


def _skipped() -> Figure:
    return Figure("disk full: skipped, a small disk can be made by root only", 0, "")


def _compared(instance: Any, known: Acknowledged) -> list[Figure]:
    """The books of the load against those of the platform."""
    from haitang.hub.business.procedures.models import RunEvent
    from haitang.hub.data.lake import queries
    from haitang.support.security.evidence.models import EvidenceRecord

    wanted = sum(count for _, count in known.messages.values())
    until("stored", lambda: _stored() >= wanted, seconds=120)
    until("judged", judged, seconds=120)
    rows = queries.query("select source_ref, count(*) as n from observations group by source_ref")
    found = {row["source_ref"]: row["n"] for row in rows}
    lost = sum(max(0, count - found.get(id, 0)) for id, (_, count) in known.messages.items())
    doubled = sum(max(0, found.get(id, 0) - count) for id, (_, count) in known.messages.items())
    twice = queries.query(
        "select coalesce(sum(n - 1), 0) as n from (select count(*) as n from observations group by node, thing, property, statistic, period_start, "
        "period_end, source_ref having count(*) > 1)"
    )[0]["n"]
    opened = Counter(EvidenceRecord.objects.filter(action="case.open").values_list("subject_id", flat=True))
    remarks = Counter(event.data.get("text") for event in RunEvent.objects.filter(kind="remarked"))
    numbers = Counter(known.cases.values())
    return [
        Figure("observations acknowledged", wanted, "observations"),
        Figure("observations lost", lost, "observations", goal=0, more=False),
        Figure("observations doubled", doubled + int(twice), "observations", goal=0, more=False),
        Figure("cases acknowledged", len(known.cases), "cases"),
        Figure("cases lost or doubled", _cases_wrong(known), "cases", goal=0, more=False),
        Figure("cases without their one evidence record", sum(opened[id] != 1 for id in _case_ids(numbers)), "cases", goal=0, more=False),
        Figure("remarks acknowledged", len(known.remarks), "remarks"),
        Figure("remarks lost", sum(remarks[text] == 0 for text in known.remarks), "remarks", goal=0, more=False),
        Figure("remarks doubled", sum(remarks[text] > 1 for text in [*known.remarks, *known.unsure]), "remarks", goal=0, more=False),
        Figure("evidence ledger that does not verify", _not_verified(instance), "ledgers", goal=0, more=False),
    ]


def _stored() -> int:
    """Observations in the lake; asking anew where a fault has cut the connection."""
    from bench.instance import stored
    from haitang.hub.data.lake.connection import forget

    try:
        return stored()
    except Exception:
        forget()
        return -1


def _cases_wrong(known: Acknowledged) -> int:
    """Submissions that have no case, another one than was told, or several."""
    from haitang.hub.business.cases.models import Case

    there: dict[str, list[str]] = {}
    for key, number in Case.objects.filter(matter_key__startswith="hand:").values_list("matter_key", "number"):
        there.setdefault(key.rpartition(":")[2], []).append(number)
    return sum(there.get(once) != [number] for once, number in known.cases.items())


def _case_ids(numbers: Counter[str]) -> list[str]:
    from haitang.hub.business.cases.models import Case

    return [str(id) for id in Case.objects.filter(number__in=list(numbers)).values_list("id", flat=True)]


def _not_verified(instance: Any) -> int:
    """Whether the exported ledger fails its offline check; waits for the sealer first."""
    file = instance.data.parent / "ledger.jsonl"
    export = subprocess.run(instance.command("evidence", "export", str(file)), capture_output=True, text=True, timeout=300, check=False)
    verify = subprocess.run(
        [sys.executable, "-m", "haitang.server.cli", "evidence", "verify", str(file)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return int(export.returncode != 0 or verify.returncode != 0)


class Probe:
    """Asks, while the load goes on, whether every service is there again: `/ready`, an observation stored, a case read."""

    def __init__(self, instance: Any, session: httpx.Client) -> None:
        self.instance, self.session = instance, session
        self.device, self.count = credentials()[0], 0

    def after(self, name: str, fault: Callable[[], None]) -> Fault:
        """Set a fault; gives the seconds from its end until everything answered."""
        fault()
        began = time.monotonic()
        time.sleep(0.2)  # a process that is just gone may still be told alive
        until(f"service back after {name}", self.good, seconds=120)
        found = Fault(name, time.monotonic() - began)
        print(f"{name}: back after {found.back:.1f} s", file=sys.stderr, flush=True)
        return found

    def good(self) -> bool:
        try:
            return self._ready() and self._stores() and self.session.get("/api/cases", params={"size": 1}, timeout=5).status_code == 200
        except (httpx.HTTPError, OSError):
            return False

    def _ready(self) -> bool:
        return httpx.get(f"{self.instance.url}/ready", timeout=5, trust_env=False).status_code == 200

    def _stores(self) -> bool:
        self.count += 1
        identifier, secret, _ = self.device
        answer = httpx.post(
            f"{self.instance.url}/api/data/observations", json=[{"property": "p0", "value": 1.0}], timeout=5, trust_env=False,
            auth=(identifier, secret), headers={"Idempotency-Key": f"probe-{time.time_ns()}"},
        )  # fmt: skip
        return answer.status_code == 200


def _officer(url: str) -> httpx.Client:
    """A synthetic dispatcher of the bureau, signed in."""
    from haitang.server.tour.personas import make

    return make(url, "dispatcher", "bureau")._client


def _pid(data: Path, name: str) -> int:
    return int((data / "run" / f"{name}.pid").read_text().split()[0])


def _kill(data: Path, name: str) -> None:
    os.kill(_pid(data, name), signal.SIGKILL)


def _hang(data: Path, name: str) -> None:
    """An engine and all its children say nothing for a while, as behind a broken network, and go on."""
    from bench.instance import below

    root = _pid(data, name)
    pids = [root, *below(root)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(HANGS)
    for pid in [*below(root), root]:
        os.kill(pid, signal.SIGCONT)


def _fill(folder: Path) -> None:
    """Fill the disk to its last byte for a while, and free it again."""
    file = folder / "filler"
    with file.open("wb", 0) as out:
        try:
            while True:
                out.write(bytes(4 * 1024**2))
        except OSError:
            pass
    time.sleep(HANGS)
    file.unlink()


@contextmanager
def disk(data: Path) -> Iterator[tuple[Path, bool]]:
    """A folder on a small disk of its own, and whether it is: only root may make one (an ext4 image on a loop device)."""
    image, folder = data / "disk.ext4", data / "disk"
    folder.mkdir()
    made = os.geteuid() == 0 and _mounted(image, folder)
    folder.chmod(0o755)
    try:
        yield folder, made
    finally:
        if made:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def _mounted(image: Path, folder: Path) -> bool:
    with image.open("wb") as file:
        file.truncate(DISK)
    try:
        for command in (["mkfs.ext4", "-q", "-F", "-m", "0", str(image)], ["mount", "-o", "loop", str(image), str(folder)]):
            subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
