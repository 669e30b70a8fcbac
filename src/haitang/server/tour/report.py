"""What the tour says of each station."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from haitang.base.text import translate


@dataclass(frozen=True)
class Entry:
    """One station: whether it held, its figures, how long it took, and what went wrong."""

    station: str
    held: bool
    seconds: float
    figures: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "station": self.station,
            "held": self.held,
            "seconds": round(self.seconds, 3),
            "figures": dict(self.figures),
            "problem": self.problem,
        }

    def as_line(self) -> str:
        mark = "✔" if self.held else "✘"
        figures = "  ".join(f"{name}={json.dumps(value, ensure_ascii=False, default=str)}" for name, value in self.figures.items())
        return f"{mark} {self.station:18} {self.seconds:7.2f} s  {figures or self.problem}"


class NotHeld(Exception):
    """A station did not hold; carries the figures seen so far."""

    def __init__(self, problem: str, **figures: Any) -> None:
        super().__init__(problem)
        self.figures = figures


def visit(name: str, station: Callable[[], Mapping[str, Any]]) -> Entry:
    """Run one station and say what happened; never raises."""
    began = time.monotonic()
    try:
        figures = station()
    except NotHeld as problem:
        return Entry(name, False, time.monotonic() - began, problem.figures, str(problem))
    except Exception as problem:  # the tour reports every failure, whatever it is
        return Entry(name, False, time.monotonic() - began, {}, f"{type(problem).__name__}: {problem}")
    return Entry(name, True, time.monotonic() - began, figures)


def summary(entries: list[Entry], total: int) -> str:
    """The last line for a person."""
    held = sum(entry.held for entry in entries)
    return translate("共 {total} 站，成立 {held} 站。").format(total=total, held=held)
