"""What the platform takes when nothing happens: memory of all its processes, seconds until it serves, and until a fresh checkout serves."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from bench import city
from bench.figures import Figure, Options
from bench.instance import below

TITLE = "Footprint: idle memory of the whole platform, its start, and installation with the first start"
GIB = 1024**3
REST = 20  # seconds after it is ready, so that what starts slowly has started


def run(options: Options) -> list[Figure]:
    from haitang.server.tour.instance import running

    place, application = city.write(options.data, 100)
    os.environ["HAITANG_APPLICATIONS"], os.environ["HAITANG_LOG_LEVEL"] = str(application), "WARNING"
    data = options.data / "instance"
    began = time.monotonic()
    with running(data, str(place), seconds=300):
        first = time.monotonic() - began
    began = time.monotonic()
    with running(data, str(place), seconds=300):
        again = time.monotonic() - began
        time.sleep(REST)
        memory = _memory(data)
    return [
        Figure("idle memory (PSS of all processes)", sum(memory.values()) / GIB, "GiB", goal=1.5, more=False),
        *(Figure(f"  {name}", used / 1024**2, "MiB") for name, used in sorted(memory.items(), key=lambda each: -each[1])),
        Figure("start of an installed platform", again, "s", goal=15, more=False),
        Figure("first start in a new data directory", first, "s"),
        *([] if options.quick else _installed(options.data)),
    ]  # fmt: skip


def _memory(data: Path) -> dict[str, int]:
    """Proportional set size in bytes, by process of the instance with its children; the supervisor is above them all."""
    files = {file.stem: int(file.read_text().split()[0]) for file in (data / "run").glob("*.pid")}
    roots = {pid: name for name, pid in files.items()}
    found: dict[str, int] = {}
    seen: set[int] = set()
    # Those that stand lowest first: what belongs to a process is not counted again with the supervisor above it.
    for pid, name in sorted(roots.items(), key=lambda each: len(below(each[0]))):
        for each in [pid, *below(pid)]:
            if each not in seen:
                seen.add(each)
                found[name] = found.get(name, 0) + _pss(each)
    above = {_parent(pid) for pid in roots} - seen - {0, 1}
    for each in above:
        found["supervisor"] = found.get("supervisor", 0) + _pss(each)
    return found


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _installed(folder: Path) -> list[Figure]:
    """A fresh clone with nothing installed, `./haitang up`, until it is ready. Packages come from wherever this machine's installer takes them."""
    from haitang.server.instance import CHECKOUT
    from haitang.server.tour.instance import Instance, wait_until_ready
    from haitang.support.infrastructure.embedded.ports import free_port

    clone, data = folder / "clone", folder / "fresh"
    began = time.monotonic()
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(CHECKOUT), str(clone)], check=True)
    http, hj212, mqtt = free_port(), free_port(), free_port()
    words = [str(clone / "haitang"), "up", "--data", str(data), "--http", str(http), "--hj212", str(hj212), "--mqtt", str(mqtt)]
    instance = Instance(data, "", http, hj212)
    # What is set here is not set on a fresh machine.
    own = {name: value for name, value in os.environ.items() if not name.startswith("HAITANG_")}
    data.mkdir()
    with instance.log.open("wb") as log:
        process = subprocess.Popen(words, cwd=clone, env=own, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until_ready(instance, process, 900)
            seconds = time.monotonic() - began
        finally:
            process.terminate()
            process.wait(90)
            shutil.rmtree(clone, ignore_errors=True)
    return [Figure("clone, install and first start on a fresh machine", seconds, "s", goal=300, more=False)]
