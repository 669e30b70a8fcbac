"""Where an indicator's input comes from: how new it is, what is missing, and whether it is live."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from haitang.base.clock import CHINA
from haitang.base.declarations import Declarations
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.sources import read
from haitang.hub.data.gather.queries import last_done
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


def below(tables: Iterable[str], declarations: Declarations) -> tuple[set[str], set[str]]:
    """The device types and the resources whose data end up in these derivations."""
    derives, devices, resources, seen = declarations.all(Derive), set[str](), set[str](), set[str]()
    waiting = list(tables)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in derives:
            continue
        seen.add(name)
        for source in read(derives[name].sql, declarations).sources:
            if source.kind == "derive":
                waiting.append(source.name)
            elif source.kind == "resource":
                resources.add(source.name)
            elif source.kind.endswith("_means_of"):
                devices.add(source.name)
    return devices, resources


def of_tables(tables: Iterable[str], declarations: Declarations, at: datetime) -> Source:
    """The input of derivations: of things and of resources. With both, it is as new as the older of them."""
    devices, resources = below(tables, declarations)
    things = of_devices(devices, at) if devices else Source()
    runs = {id: last_done(id) for id in resources}
    times = [run.finished_at if run else None for run in runs.values()] + ([things.newest] if devices else [])
    synthetic = any(declarations.get(Resource, id).synthetic or (run and run.synthetic) for id, run in runs.items())
    origins = (*things.origins, *(["simulated"] if synthetic else []))
    known = [time for time in times if time]
    newest = min(known) if known and len(known) == len(times) else None
    return replace(things, newest=newest, origins=tuple(sorted(set(origins))))


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
