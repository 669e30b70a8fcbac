"""What the demonstration has done so far: `demo.json` in the data directory, which also marks the directory as a demonstration's."""

import json
import shutil
from pathlib import Path
from typing import Any

from haitang.base import clock
from haitang.base.errors import error

NOT_A_DEMO = error("demo.not_a_demo", 409, "数据目录 {data} 不是演示实例，没有改动任何内容。")
HAS_OTHER_DATA = error("demo.has_other_data", 409, "数据目录 {data} 里已有不是演示的数据，不会装入演示数据。请用 --data 另选一个目录。")
IS_A_DEMO = error("demo.is_a_demo", 409, "数据目录 {data} 是演示实例，不能当正式实例启动。请加 --demo，或用 --data 另选一个目录。")
RUNNING = error("demo.running", 409, "演示实例正在运行（{url}）。请先按 Ctrl-C 停止它，再删除。")

MARK = "demo.json"


def read(data: Path) -> dict[str, Any]:
    """`made_at`, `steps` (step -> when it was done), `until`, `doing`, `percent`; empty where this is no demonstration."""
    try:
        found: dict[str, Any] = json.loads((data / MARK).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def write(data: Path, **facts: Any) -> dict[str, Any]:
    """Note facts; the file is replaced at once, so that a reader never sees half of it."""
    now = {"made_at": clock.now().isoformat(), "steps": {}, "percent": 0, "doing": "people", **read(data), **facts}
    draft = data / f"{MARK}.new"
    draft.write_text(json.dumps(now, ensure_ascii=False, indent=1), "utf-8")
    draft.replace(data / MARK)
    return now


def done(data: Path, step: str) -> bool:
    return step in read(data).get("steps", {})


def finish(data: Path, step: str) -> None:
    """Note that a step is done; it is not done again."""
    write(data, steps={**read(data).get("steps", {}), step: clock.now().isoformat()})


def refuse_mixture(data: Path, *, demo: bool) -> None:
    """A demonstration does not begin on other data, and is never started as anything else; raises HAS_OTHER_DATA or IS_A_DEMO."""
    marked = bool(read(data))
    if demo and not marked and any((data / name).exists() for name in ("postgres", "nats", "keys/session")):
        raise HAS_OTHER_DATA(data=data)
    if marked and not demo:
        raise IS_A_DEMO(data=data)


def remove(data: Path) -> dict[str, int]:
    """Remove a demonstration's directory; returns `files` and `bytes` that were removed. Raises NOT_A_DEMO."""
    if not read(data):
        raise NOT_A_DEMO(data=data)
    files = [file for file in data.rglob("*") if file.is_file() and not file.is_symlink()]
    size = sum(file.stat().st_size for file in files)
    shutil.rmtree(data)
    return {"files": len(files), "bytes": size}
