"""Faults set at random points under load, and then the books compared: what was acknowledged is there, once.

Faults: kill -9 of every process, of PostgreSQL, of NATS and of the supervisor; hangs; the network to the engines cut and reset; clocks that jump; a full disk. The load sends observations by HTTP,
MQTT and HJ 212 in disorder, late and twice, opens cases, writes remarks and gathers files (`bench.load_endurance`); at its end the platform is backed up and restored (`bench.drill`). Loss of power has
a run of its own: `bench.power_loss`.
"""

import os
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import faults, network, shifted_clock, small_disk
from bench.books import compared
from bench.drill import drilled
from bench.figures import Figure, Options
from bench.instance import city_running, started_again, until
from bench.load_endurance import officer, working
from bench.made_firms import declare
from bench.probe import Probe
from bench.sensing_http import credentials
from bench.worker import Acknowledged

TITLE = "Endurance: faults under load, nothing acknowledged lost or doubled"
DEVICES, QUICK_DEVICES = 40, 20
BACK, STARTED = 10.0, 15.0  # seconds within which service is back; within which a platform that was started anew serves
ROUNDS = 50  # of kill -9
JUMPS, QUICK_JUMPS = (3600, 0, -3600, 0, 90, 0), (3600, -3600, 0)  # seconds that the clock of the platform is ahead of the true one
NOT_KILLED = {"up", "supervisor", "demo"}


@dataclass
class Fault:
    """One fault and how many seconds from its end service was away."""

    name: str
    back: float
    through: float | None = None  # until what was on the stream by then was in the lake and judged


Setting = tuple[str, Callable[[], None]]


def run(options: Options) -> list[Figure]:
    chance, found, forked = random.Random(), list[Fault](), 0.0
    with (
        small_disk.disk(options.data) as (folder, small),
        shifted_clock.clock(options.data) as clock,
        city_running(folder, QUICK_DEVICES if options.quick else DEVICES, hj212=True, more=declare) as instance,
        ExitStack() as again,
    ):
        devices, person = credentials(), officer(instance.url)
        probe = Probe(instance, person, devices[0])
        with working(instance, devices[1:], person, options.data / "files") as known:
            time.sleep(2 if options.quick else chance.uniform(2, 5))
            os.kill(faults.supervisor(instance.data), signal.SIGKILL)
            started = again.enter_context(started_again(instance))
            _back("kill -9 supervisor", probe)
            if small:
                faults.fill(folder, _lasts(options), probe.on_full_disk)
                found.append(_back("disk full", probe, thorough=not options.quick))
            for name, fault in _settings(instance, options, chance, clock):
                time.sleep(chance.uniform(0.2, 1) if options.quick else chance.uniform(0.5, 3))
                fault()
                found.append(_back(name, probe, thorough=not options.quick))
                forked = max(forked, until("the zygote is back", probe.forks, seconds=120))
            drill = drilled(instance, known, options.data / "drill.tar")
        _complaints(instance.data / "logs")
        lacking = {
            f"disk full: skipped, {small_disk.SKIPPED}": not small,
            f"network cut: skipped, {network.SKIPPED}": not network.may_cut(),
            f"clock jumps: skipped, {shifted_clock.SKIPPED}": clock is None,
        }
        return [
            *_told(found, known),
            *(Figure(f"while the disk was full: {who} was answered {what}", 1, "times") for who, what in probe.full.items()),
            Figure("after which what dies can be forked again, worst", forked, "s"),
            Figure("started anew and ready after kill -9 supervisor", started, "s", goal=STARTED, more=False),
            *compared(instance, known),
            *drill,
            *(Figure(what, 0, "") for what, missing in lacking.items() if missing),
        ]


def _lasts(options: Options) -> float:
    """Seconds that a fault lasts which is not over at once."""
    return 2.5 if options.quick else 6.0


def _settings(instance: Any, options: Options, chance: random.Random, clock: shifted_clock.Clock | None) -> Iterator[Setting]:
    """Each process killed in turn, in an order of chance; then what hangs, or is not reached; then the clock."""
    data, lasts = instance.data, _lasts(options)
    names = sorted({file.stem for file in (data / "run").glob("*.pid")} - NOT_KILLED)
    rounds = options.rounds or (len(names) if options.quick else ROUNDS)
    often = rounds >= ROUNDS  # a piece of a long run does the rest once
    order = [names[n % len(names)] for n in range(rounds)]
    chance.shuffle(order)
    for name in order:
        yield f"kill -9 {name}", lambda name=name: faults.kill(data, name)  # type: ignore[misc]
    hanging = ("nats", "postgres") if options.quick else ("nats", "postgres", "control", "front", "writer", "gather") * (2 if often else 1)
    for name in hanging:
        yield f"{name} hangs {lasts:.0f} s", lambda name=name: faults.hang(data, name, lasts)  # type: ignore[misc]
    if network.may_cut():
        for _ in range(3 if often else 1):
            yield from _cuts(lasts)
    if clock:
        own = clock
        for seconds in QUICK_JUMPS if options.quick else JUMPS:
            yield f"clock {seconds:+} s" if seconds else "clock right again", lambda seconds=seconds: own.shift(seconds)  # type: ignore[misc]


def _cuts(lasts: float) -> Iterator[Setting]:
    from haitang.base.settings import settings

    for name, url in (("nats", settings().nats_url), ("postgres", settings().database_url)):
        for how, verdict in (("cut", network.VANISH), ("reset", network.RESET)):
            yield (
                f"network to {name} {how} {lasts:.0f} s",
                lambda url=url, verdict=verdict: network.cut(url, verdict, lasts),  # type: ignore[misc]
            )


def _back(name: str, probe: Probe, *, thorough: bool = False) -> Fault:
    """The seconds from the end of a fault until everything answered."""
    began, probe.last = time.monotonic(), ""
    time.sleep(0.2)  # a process that is just gone may still be told alive
    try:
        until(f"service back after {name}", probe.good, seconds=120)
    except TimeoutError as away:
        raise TimeoutError(f"{away}: {probe.wrong}") from None
    back, through = time.monotonic() - began, None
    if thorough:
        until(f"stored and judged after {name}", probe.through(), seconds=300)
        through = time.monotonic() - began
    found = Fault(name, back, through)
    said = f"{name}: back after {back:.1f} s" + (f", stored and judged after {through:.1f} s" if through else "") + f"  {probe.last[:160]}"
    print(f"{time.strftime('%H:%M:%S')} {said}", file=sys.stderr, flush=True)
    return found


def _complaints(logs: Path) -> None:
    """What ended in a traceback, for whoever asks why an answer was 500."""
    found: Counter[str] = Counter()
    for log in logs.glob("*.log"):
        said = log.read_text("utf-8", "replace")
        found.update(f"{log.stem}: {line[:160]}" for line in re.findall(r"^[\w.]+(?:Error|Exception|Failure)\b.*", said, re.MULTILINE))
    for line, times in found.most_common(20):
        print(f"{times:5} x {line}", file=sys.stderr, flush=True)


def _told(found: list[Fault], known: Acknowledged) -> list[Figure]:
    kinds = Counter(fault.name for fault in found)
    through = [fault.through for fault in found if fault.through]
    worst = {name: max(fault.back for fault in found if fault.name == name) for name in kinds}
    return [
        Figure("faults set", len(found) + 1, "faults"),
        *(
            Figure(f"back in service after {name}, worst of {kinds[name]}", worst[name], "s", goal=BACK, more=False)
            for name in sorted(kinds)
        ),
        *([Figure("stored in the lake and judged after a fault, worst", max(through), "s")] if through else []),
        Figure("requests and commands made again", known.again, "requests"),
        *(Figure(f"answers {status}", count, "requests") for status, count in sorted(known.refused.items())),
        *(Figure(f"failed: {why}", count, "times") for why, count in sorted(known.said.items())),
        Figure("answers 500", known.refused.get(500, 0), "requests", goal=0, more=False),
        Figure("workers that gave up: " + "; ".join(known.problems)[:200], len(known.problems), "workers", goal=0, more=False),
    ]
