"""All checks of a checkout, one after the other beside the tests; each is run, and the last lines say which failed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from haitang.server.instance import CHECKOUT
from haitang.server.testing.browser import browser_there
from haitang.server.testing.mariadb import mariadb_there
from haitang.server.testing.mosquitto import mosquitto_there
from haitang.server.testing.peers import peers_there


def run_all(*, long_too: bool, expression: str | None) -> int:
    """Run the checks beside pytest, which waits much and has its closing lines on stdout; gives the exit code."""
    skipped = {mark: reason for mark, there in _OUTSIDE.items() if (reason := there())}
    with ThreadPoolExecutor(1) as beside:
        checked = beside.submit(lambda: [name for name, command in ([] if expression else _checks()) if not _passes(name, command)])
        print("== pytest", flush=True)
        tests = subprocess.run(_pytest(long_too, expression, skipped), cwd=CHECKOUT, env=_environment())
        failed = checked.result()
    if tests.returncode:
        failed.append("pytest")
    for mark, reason in skipped.items():
        print(f"\n已跳过 {mark} 测试：{reason}")
        if os.environ.get("CI", "").lower() == "true":
            failed.append(f"{mark} 测试（CI 下不得跳过）")
    print(f"\n未通过：{'、'.join(failed)}" if failed else "\n全部通过。", flush=True)
    return 1 if failed else 0


# What is no wheel: the mark of the tests that need it, and what brings it or says why they are skipped.
_OUTSIDE: dict[str, Callable[[], str]] = {
    "browser": browser_there,
    "mariadb": mariadb_there,
    "mosquitto": mosquitto_there,
    "peers": peers_there,
}


def _program(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _checks() -> list[tuple[str, list[str]]]:
    return [
        ("ruff check", [_program("ruff"), "check"]),
        ("ruff format", [_program("ruff"), "format", "--check"]),
        ("mypy", [_program("mypy")]),
        ("lint-imports", [_program("lint-imports")]),
        ("haitang check", [sys.executable, "-m", "haitang.server.cli", "check"]),
        ("haitang sbom --audit", [sys.executable, "-m", "haitang.server.cli", "sbom", "--audit"]),
    ]


def _passes(name: str, command: list[str]) -> bool:
    began = time.monotonic()
    ran = subprocess.run(command, cwd=CHECKOUT, env=_environment(), capture_output=True, text=True)
    print(f"== {name} {'通过' if ran.returncode == 0 else '未通过'}（{time.monotonic() - began:.0f} 秒）", flush=True)
    if ran.returncode or "跳过" in ran.stdout:
        print(ran.stdout + ran.stderr, flush=True)
    return ran.returncode == 0


def _pytest(long_too: bool, expression: str | None, skipped: Iterable[str]) -> list[str]:
    without = [*([] if long_too else ["long"]), *skipped]
    marks = " and ".join(f"not {word}" for word in without)
    # tests/scheduling.py: one file to one worker. There is a worker more than processors, since a third of the time tests wait for what they started.
    workers = len(os.sched_getaffinity(0)) + 1
    command = [sys.executable, "-m", "pytest", "-n", str(workers), "--dist", "loadfile", "--durations=10"]
    return [*command, *(["-m", marks] if marks else []), *(["-k", expression] if expression else [])]


def _environment() -> dict[str, str]:
    """Tests make their own instance; what the shell says of another must not reach them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HAITANG_", "DJANGO_"))}
    return {**kept, "MYPY_FORCE_COLOR": "0"}
