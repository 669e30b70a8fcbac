"""Our processes: the server's own modules here, and every room's `process.py`.

A process has `run(stop)`: a coroutine with an asyncio.Event, or a function with a threading.Event. Its name is the module's `NAME`,
else the room's.
"""

import ast
import importlib
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from haitang.base.errors import error
from haitang.base.settings import settings
from haitang.server.discovery import rooms_with

NO_SUCH_PROCESS = error("server.no_such_process", 404, "没有名为“{name}”的进程。可用的有：{names}。")
OWN = ("control", "front", "worker")
ONCE = ("prepare",)
DEMO = "demo"  # of a demonstration only
ZYGOTE = "zygote"  # what the others are forked from


def names() -> list[str]:
    """Every process of an instance, in the order of starting."""
    return [*OWN, *sorted(_of_rooms()), *([DEMO] if settings().demo else [])]


def module(name: str) -> ModuleType:
    """The module that runs this process; raises NO_SUCH_PROCESS."""
    if name in (*OWN, *ONCE, DEMO, ZYGOTE):
        return importlib.import_module(f"{__name__}.{name}")
    found = _of_rooms()
    if name not in found:
        raise NO_SUCH_PROCESS(name=name, names="、".join(names()))
    return importlib.import_module(found[name])


def _of_rooms() -> dict[str, str]:
    modules = [f"{room}.process" for room in rooms_with("process")]
    return {_name(module): module for module in modules}


def _name(module: str) -> str:
    """Read `NAME` without running the module: the supervisor stays small."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    for node in ast.parse(Path(spec.origin).read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "NAME" and isinstance(node.value, ast.Constant):
            return str(node.value.value)
    return module.split(".")[-2]
