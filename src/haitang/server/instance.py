"""The instance that a command works on: where its data lies and, while it runs, where everything listens."""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import haitang
from haitang.base.errors import error
from haitang.base.settings import Settings, load

NOT_RUNNING = error("server.not_running", 503, "数据目录 {data} 的实例没有运行。请先执行 haitang up --data {data}。")
DATA_IN_USE = error(
    "server.data_in_use", 409, "数据目录 {data} 已被另一个正在运行的实例使用（进程 {pid}）。请先停止它，或用 --data 另选目录。"
)

CHECKOUT = Path(haitang.__file__).resolve().parents[2]
# What the running instance says of itself goes before environment and file: a command acts on what runs, not on what would.
_OF_THE_RUNNING = (
    "database_url",
    "nats_url",
    "place",
    "applications",
    "lake",
    "host",
    "http",
    "hj212",
    "mqtt",
    "public_url",
    "demo",
    "secret_key",
    "suite",
    "tsa_url",
    "tsa_ca",
    "tsa_every",
    "upstream_url",
    "evidence_months",
    "outgoing_allow",
    "tls_certificate",
    "tls_key",
    "tls_for",
)


def read(data: Path) -> dict[str, Any]:
    """`run/instance.json` of a running instance: its settings, `pid`, `processes`; empty when none runs."""
    try:
        found: dict[str, Any] = json.loads((data / "run" / "instance.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if _locked(data) else {}


def write(settings: Settings, **facts: Any) -> None:
    """Say where the instance listens; readable by its owner alone, for it holds passwords of the engines. What opens the keys is not in it."""
    file = settings.run / "instance.json"
    told = {**asdict(settings), "key_passphrase": "", "data": str(settings.data), "url": settings.url, **facts}
    draft = file.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(told, out, ensure_ascii=False, indent=2)
    draft.replace(file)


def settings_of(options: Mapping[str, Any], *, must_run: bool = False) -> Settings:
    """Settings from options, environment and file, and from the instance in the data directory where one runs."""
    settings = load({**options, "data": options.get("data") or _data(options)}, checkout=CHECKOUT)
    running = read(settings.data)
    if must_run and not running:
        raise NOT_RUNNING(data=settings.data)
    taken = {name: running[name] for name in _OF_THE_RUNNING if name in running and options.get(name) is None}
    return replace(settings, **taken)


def demo_data() -> Path:
    """Where a demonstration lies unless another directory is named: apart from the instance, so that it can be removed whole."""
    return Path(os.environ.get("HAITANG_DATA") or CHECKOUT / ".haitang-demo")


def _data(options: Mapping[str, Any]) -> Path:
    return demo_data() if options.get("demo") else Path(os.environ.get("HAITANG_DATA") or CHECKOUT / ".haitang")


def environment(settings: Settings) -> dict[str, str]:
    """The environment by which a child process gets exactly these settings."""
    return {**os.environ, **{f"HAITANG_{name.upper()}": str(value) for name, value in asdict(settings).items()}}


def lock(data: Path) -> int:
    """Take the data directory for this process until it ends; raises DATA_IN_USE. Returns the descriptor to keep open."""
    descriptor = os.open(data / "run" / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pid = os.read(descriptor, 20).decode() or "?"
        os.close(descriptor)
        raise DATA_IN_USE(data=data, pid=pid.strip()) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def _locked(data: Path) -> bool:
    try:
        descriptor = os.open(data / "run" / "lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
