"""A file of synthetic enterprises with ten field rules through `haitang gather` into the lake, against DuckDB turning the same file into Parquet."""

import json
import os
import select
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.figures import Figure, Options
from bench.instance import city_running, peak_memory, processor_seconds
from bench.made_firms import declare, write

TITLE = "gathering a CSV file with ten field rules"
ROWS, QUICK_ROWS = 5_000_000, 500_000
TIMES = 3  # the floor, asked of files from ROWS on
MEMORY = 2048  # MiB, of the processes that read and land together


def run(options: Options) -> list[Figure]:
    rows = int(os.environ.get("HAITANG_BENCH_ROWS", 0)) or (QUICK_ROWS if options.quick else ROWS)
    file = options.data / "firms.csv"
    bad = write(file, rows)
    floor = _floor(file, options.data / "floor.parquet")
    with city_running(options.data, 1, more=declare) as instance:
        used, began = processor_seconds(instance.data), time.monotonic()
        told, progress = gather(file, instance.data)
        seconds = time.monotonic() - began
        used = {name: spent - used.get(name, 0) for name, spent in processor_seconds(instance.data).items()}
        memory = peak_memory(instance.data)
        stored = _stored()
        files = _files(instance.data / "lake")
    most = {name: memory.get(name, 0.0) for name in ("gather", "writer")}
    return [
        Figure(
            "file to lake",
            seconds,
            "s",
            goal=TIMES * floor["seconds"] if rows >= ROWS else None,  # a second of every run is the same for any file
            more=False,
            floor=floor["seconds"],
            floor_is="DuckDB: CSV to Parquet, no rules",
        ),
        Figure("rows", rows / seconds, "rows/s"),
        Figure("processor time", sum(used.values()), "s", floor=floor["processor"], floor_is="the same, processor time"),
        *(Figure(f"processor, {name}", spent / rows * 1e6, "us/row") for name, spent in used.items() if spent > 0.2),
        Figure("memory, gather and writer", sum(most.values()), "MiB", goal=MEMORY, more=False),
        Figure("quarantined beside the bad rows written", abs(told["quarantined"] - bad), "rows", goal=0, more=False),
        Figure("read - accepted - quarantined", told["read"] - told["accepted"] - told["quarantined"], "rows", goal=0, more=False),
        Figure("accepted and not in the lake", told["accepted"] - stored, "rows", goal=0, more=False),
        Figure("progress that went back or past its end", _untrue(progress, rows), "reports", goal=0, more=False),
        Figure("files of the lake afterwards", files[0], "files"),
        Figure("size of the lake afterwards", files[1] / 1e6, "MB"),
    ]


def gather(file: Path, data: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The command as a user gives it, and how far the run said it was, every second."""
    from haitang.hub.data.gather.models import Run

    command = [sys.executable, "-m", "haitang.server.cli", "gather", str(file), "--resource", "bench_firm", "--data", str(data), "--json"]
    progress: list[dict[str, Any]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while _runs(process):
            progress += Run.objects.values("read", "accepted", "quarantined", "read_bytes", "total_bytes", "inserted")
        out, wrong = process.communicate()
    if process.returncode not in (0, 1):
        raise RuntimeError(wrong or out)
    return json.loads(out), progress


def _runs(process: subprocess.Popen[str]) -> bool:
    """Whether it still runs a second later. Python's own waiting looks every 50 ms, which would be measured too."""
    ended = os.pidfd_open(process.pid)
    try:
        return not select.select([ended], [], [], 1)[0]
    finally:
        os.close(ended)


def _untrue(progress: list[dict[str, Any]], rows: int) -> int:
    """Reports that contradict the one before, or what can be."""
    back = sum(any(after[name] < before[name] for name in before) for before, after in pairwise(progress))
    return back + sum(
        each["read"] > rows or each["read_bytes"] > each["total_bytes"] or each["inserted"] > each["accepted"] for each in progress
    )


def _stored() -> int:
    from haitang.hub.data.lake import queries

    return int(queries.dicts("select count(*) as n from lake.resource_bench_firm")[0]["n"])


def _files(lake: Path) -> tuple[int, int]:
    sizes = [file.stat().st_size for file in lake.rglob("*.parquet")]
    return len(sizes), sum(sizes)


_FLOOR = """
import duckdb, json, os, sys, time
began, used = time.monotonic(), time.process_time()
duckdb.execute("set enable_progress_bar = false")
duckdb.execute(f"copy (from read_csv('{sys.argv[1]}')) to '{sys.argv[2]}'")
file = os.open(sys.argv[2], os.O_RDONLY)
os.fsync(file)
print(json.dumps({"seconds": time.monotonic() - began, "processor": time.process_time() - used}))
"""


def _floor(file: Path, to: Path) -> dict[str, float]:
    """In a process of its own; the second of two runs, so that the file is in memory for both sides."""
    found: dict[str, float] = {}
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", _FLOOR, str(file), str(to)], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
    to.unlink()
    return found
