"""Where an indicator's input comes from: how new it is, what is missing, and whether it is live."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from haitang.base.clock import CHINA
from haitang.base.declarations import Declarations
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.sql import parse
from haitang.hub.data.lake.queries import dicts
from haitang.support.infrastructure.things.models import Thing


@dataclass(frozen=True)
class Source:
    """`newest`: the end of the newest input; `newest_of`: of each thing; `origins` of this year's input."""

    newest: datetime | None = None
    newest_of: dict[str, datetime] = field(default_factory=dict)
    origins: tuple[str, ...] = ()
    origins_of: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def partial(self, at: datetime, within: timedelta) -> bool:
        """Whether some things are heard of and others no longer."""
        fresh = [at - time <= within for time in self.newest_of.values()]
        return any(fresh) and not all(fresh)


def devices_below(tables: Iterable[str], declarations: Declarations) -> set[str]:
    """The device types whose observations end up in these derivations."""
    derives, found, seen = declarations.all(Derive), set[str](), set[str]()
    waiting = list(tables)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in derives:
            continue
        seen.add(name)
        for source in parse(derives[name].sql, derives.keys()).sources:
            if source.kind == "derive":
                waiting.append(source.name)
            elif source.kind.endswith("_means_of"):
                found.add(source.name)
    return found


def of_devices(devices: set[str], at: datetime) -> Source:
    """The input of things of these types in the running year (China time); the year before counts where this one has none yet."""
    things = list(Thing.objects.filter(device__in=devices).exclude(status=Thing.RETIRED).values_list("id", flat=True))
    if not things:
        return Source()
    marks = ", ".join("?" for _ in things)
    since = at.astimezone(CHINA).date().replace(month=1, day=1) - timedelta(days=366)
    rows = dicts(
        f"select thing, max(period_end) as newest, list_sort(list(distinct origin)) as origins from lake.observations "  # noqa: S608
        f"where day >= ? and thing in ({marks}) group by thing order by thing",
        [since, *things],
    )
    return _source(rows)


def _source(rows: list[dict[str, Any]]) -> Source:
    if not rows:
        return Source()
    origins = {row["thing"]: tuple(row["origins"]) for row in rows}
    return Source(
        max(row["newest"] for row in rows),
        {row["thing"]: row["newest"] for row in rows},
        tuple(sorted({o for found in origins.values() for o in found})),
        origins,
    )
