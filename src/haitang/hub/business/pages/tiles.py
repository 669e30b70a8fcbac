"""An indicator as a tile: figure, target, change, time of the data, and what makes it doubtful."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from haitang.base import clock
from haitang.base.shell.words import unit
from haitang.base.text import T
from haitang.hub.data.indicators import queries
from haitang.hub.data.indicators.queries import Current

BACK = timedelta(days=7)


@dataclass(frozen=True)
class Tile:
    """What parts/tile.html shows. `reached`: whether the target is met, None where there is nothing to say."""

    id: str
    title: str
    unit: str
    digits: int
    value: float | None
    target: float | None
    reached: bool | None
    change: float | None
    change_is: str
    arrow: str
    at: datetime | None
    stale: bool
    partial: bool
    origin: str
    link: str
    period: str = T("较七天前")


def tile(id: str) -> Tile:
    """The tile of one indicator; raises NOT_DECLARED."""
    return of(queries.one(id))


def of(now: Current) -> Tile:
    """The tile of an indicator that was read."""
    change = _change(now)
    way = {"higher": 1, "lower": -1}.get(now.better, 0) * (change or 0)
    return Tile(
        now.id, now.title, unit(now.unit), now.digits, now.value, now.target, {"good": True, "bad": False}.get(now.status), abs(change) if change is not None else None,
        "good" if way > 0 else "bad" if way < 0 else "", "" if not change else "▲" if change > 0 else "▼", now.source_time or now.at,
        now.stale and now.value is not None, now.partial, next((o for o in ("simulated", "replay") if o in now.origins), "live"), f"/indicators/{now.id}",
    )  # fmt: skip


def _change(now: Current) -> float | None:
    """Against the value of seven days ago; None where none was kept or the definition has changed since."""
    if now.value is None:
        return None
    kept = [row for row in queries.history(now.id, since=clock.now() - BACK - timedelta(days=1)) if row.value is not None]
    before = [row for row in kept if row.at <= clock.now() - BACK]
    if not before or before[-1].definition != kept[-1].definition or before[-1].value is None:
        return None
    return round(now.value - before[-1].value, 6)
