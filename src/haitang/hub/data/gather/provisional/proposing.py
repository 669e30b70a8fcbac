"""From an uploaded file to what a person is shown before it is gathered, and what is kept of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haitang.base.declarations import in_force
from haitang.base.declarations.models import Provisional
from haitang.base.text import Saying
from haitang.hub.data.catalogue.kinds import LEVELS, TYPES, Resource
from haitang.hub.data.gather.infer import Proposal, propose
from haitang.hub.data.gather.infer.doubts import kept, said
from haitang.hub.data.gather.infer.proposal import LOOKED_AT
from haitang.hub.data.gather.infer.writing import doubts_of
from haitang.support.security.people.models import Organization

ON_A_PAGE = 20_000  # rows; a page answers within seconds, a command may take its time


def proposed(path: Path, name: str, *, id: str = "", title: str = "", organization: str = "", most: int = LOOKED_AT) -> Proposal:
    """A proposal with an id that is free, provided by a role that the organization fills."""
    found = Organization.objects.filter(pk=organization).first() if organization else None
    role = next(iter(found.fills), None) if found else None
    made = propose(path, id=id, title=title, name=name, provider=role, most=most)
    if id or not _taken(made.id):
        return made
    free = next(f"{made.id}_{n}" for n in range(2, 10_000) if not _taken(f"{made.id}_{n}"))
    return propose(path, id=free, title=title, name=name, provider=role, most=most)


def _taken(id: str) -> bool:
    open = Provisional.objects.filter(declaration=id).exclude(status=Provisional.Status.DISCARDED)
    return id in in_force().all(Resource) or open.exists()


def about(proposal: Proposal) -> dict[str, Any]:
    """What was seen, for pages and for programs; no value of a field that is above general level, nor any other of the file but code tables."""
    return {
        "rows": proposal.rows, "whole": proposal.whole, "key": proposal.key, "doubts": kept(proposal.doubts), "mapping": proposal.mapping,
        "fields": [_field(proposal, column) for column in proposal.columns],
        "code_tables": {f"{proposal.id}_{column.name.word}": column.codes for column in proposal.columns if column.codes},
    }  # fmt: skip


def _field(proposal: Proposal, column: Any) -> dict[str, Any]:
    point = proposal.point is not None and column in (proposal.point.longitude, proposal.point.latitude)
    doubts = kept(_of_point(proposal) if point else doubts_of(column))
    return {
        "name": "location" if point else column.name.word, "heading": column.heading, "title": column.name.title, "unit": column.name.unit,
        "type": "point" if point else column.type, "required": column.required, "level": column.level or "general", "why": column.why,
        "fits": round(column.fits, 4), "filled": column.filled, "distinct": column.distinct, "codes": len(column.codes), "doubts": doubts,
        "sure": "high" if column.filled and column.fits == 1 and not column.doubts else "medium" if column.fits > 0.99 else "low",
    }  # fmt: skip


def _of_point(proposal: Proposal) -> list[Saying]:
    return [proposal.point.doubt] if proposal.point and proposal.point.doubt else []


def shown(about: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Fields with their words for a page."""
    sure = {"high": ("normal", "有把握"), "medium": ("notice", "请核对"), "low": ("warning", "不确定")}
    return [
        {**field, "type_title": TYPES[field["type"]], "level_title": LEVELS[field["level"]], "key": field["name"] in about["key"],
         "doubts": said(field["doubts"]), "sure_status": sure[field["sure"]][0], "sure_title": sure[field["sure"]][1], "share": f"{100 * field['fits']:.1f}"}
        for field in about["fields"]
    ]  # fmt: skip
