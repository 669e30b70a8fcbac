"""Reads: sources with where they stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from haitang.base.actions import permission
from haitang.base.declarations import in_force
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather import faults
from haitang.hub.data.gather.kinds import Source
from haitang.hub.data.gather.sources.models import SourceState, TakenFile
from haitang.hub.data.gather.sources.schedule import due_after
from haitang.support.standards.queries import calendar_in_force

READ = permission("gather.sources", "查看数据来源")


@dataclass(frozen=True)
class Standing:
    """A source, what is known of it, when it is due (None: at the next look), how many of its files failed."""

    source: Source
    resource: Resource | None
    state: SourceState
    due: datetime | None
    failed_files: int

    @property
    def way(self) -> str:
        return "database" if self.source.database else "folder" if self.source.folder else "people"

    @property
    def troubled(self) -> bool:
        return bool(self.state.error or self.failed_files)


def source_of(id: str) -> Source:
    """A declared source; raises UNKNOWN_SOURCE."""
    found = in_force().all(Source).get(id)
    if found is None:
        raise faults.UNKNOWN_SOURCE(source=id)
    return found


def state_of(id: str) -> SourceState:
    """What is remembered of a source; nothing yet where it was never asked."""
    return SourceState.objects.filter(pk=id).first() or SourceState(id=id)


def standing(source: Source) -> Standing:
    """Where one source stands."""
    state = state_of(source.id)
    asked = source.database is not None and not state.paused
    due = due_after(source, state.asked_at, calendar_in_force()) if asked else None
    failed = TakenFile.objects.filter(source=source.id, state=TakenFile.State.FAILED).count()
    return Standing(source, in_force().all(Resource).get(source.resource), state, due, failed)


def standings() -> list[Standing]:
    """All sources, troubled ones first."""
    found = (standing(source) for source in in_force().all(Source).values())
    return sorted(found, key=lambda each: (not each.troubled, each.source.id))


def asked_sources() -> Iterable[Source]:
    """Sources that the platform asks or watches by itself."""
    return [source for source in in_force().all(Source).values() if source.database or source.folder]
