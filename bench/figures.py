"""What a benchmark says: each figure beside a floor that was measured in the same run, and the goal that it is held against."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Options:
    """`quick`: smaller, within two minutes. `data`: a folder for the instance, which the benchmark may fill and the caller removes.

    `rounds`: how many, of a benchmark that has ROUNDS; 0: as many as it says itself.
    """

    quick: bool
    data: Path
    rounds: int = 0


@dataclass(frozen=True)
class Figure:
    """One measurement. `goal` is a bound in the figure's own unit; `more` says whether at least (True) or at most (False) it. No goal: told only.

    `floor` is what the bare engines reach with the same work in the same run, in the same unit; `ratio` is figure / floor.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    more: bool = True
    floor: float | None = None
    floor_is: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def held(self) -> bool:
        if self.goal is None:
            return True
        return self.value >= self.goal if self.more else self.value <= self.goal

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "held": self.held}

    def as_line(self) -> str:
        goal = "" if self.goal is None else f"{'>=' if self.more else '<='} {_short(self.goal)}"
        floor = "" if self.floor is None else f"{_short(self.floor)} ({self.floor_is})"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        mark = "" if self.goal is None else ("held" if self.held else "NOT HELD")
        return f"{self.name:44} {_short(self.value):>12} {self.unit:16} {floor:40} {ratio:>6}  {goal:14} {mark}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def machine() -> dict[str, Any]:
    """What was measured on."""
    cpu = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    memory = next((int(line.split()[1]) // 1024**2 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {"processors": os.cpu_count(), "cpu": cpu, "memory_gib": memory, "system": platform.platform(), "python": platform.python_version(),
            "load_before": round(os.getloadavg()[0], 2)}  # fmt: skip


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text().splitlines()
    except OSError:
        return []


def table(title: str, told: dict[str, Any], durability: str, figures: Sequence[Figure]) -> str:
    """For a person."""
    head = f"{title}\n{told['processors']} x {told['cpu']}, {told['memory_gib']} GiB, Python {told['python']}, load {told['load_before']}\n{durability}\n"
    columns = f"{'figure':44} {'value':>12} {'unit':16} {'floor':40} {'ratio':>6}  {'goal':14} held"
    return "\n".join([head, columns, *(figure.as_line() for figure in figures)])


def as_json(name: str, told: dict[str, Any], durability: str, figures: Sequence[Figure]) -> str:
    """For a program."""
    body = {
        "bench": name,
        "held": all(f.held for f in figures),
        "machine": told,
        "durability": durability,
        "figures": [f.as_json() for f in figures],
    }
    return json.dumps(body, ensure_ascii=False, indent=2)
