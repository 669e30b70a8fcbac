"""What the stations of the tour hand on to each other."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from haitang.server.tour.instance import Instance
from haitang.server.tour.report import NotHeld

if TYPE_CHECKING:
    from haitang.server.tour.personas import Persona

T = TypeVar("T")


@dataclass
class Context:
    """The instance, the people, and what has been found so far."""

    instance: Instance
    people: "dict[str, Persona]" = field(default_factory=dict)
    thing: str = ""
    rule: str = ""
    period: tuple[datetime, datetime] | None = None
    sent_values: int = 0
    alarm: dict[str, Any] = field(default_factory=dict)
    case: dict[str, Any] = field(default_factory=dict)
    indicator_before: Any = None
    export: Path | None = None
    run: dict[str, Any] = field(default_factory=dict)
    held: list[dict[str, Any]] = field(default_factory=list)

    @property
    def case_path(self) -> str:
        return f"/api/cases/{self.case['number']}"


def wait_for(what: str, look: Callable[[], T | None], *, seconds: float = 120, **figures: Any) -> T:
    """The first thing that `look` gives; raises NotHeld after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.25)
    raise NotHeld(f"{what}: not seen within {seconds:.0f} s", **figures)
