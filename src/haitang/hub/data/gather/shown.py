"""Quarantined rows are shown as they came, unmasked, since nobody can mend what they cannot read: who saw fields above general level is evidence."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from haitang.base.actions import Actor, acting
from haitang.base.declarations import in_force
from haitang.hub.data.catalogue.kinds import Resource, ResourceField
from haitang.hub.data.gather.models import Held, Run
from haitang.support.security.evidence.actions import answer_digest, record_access
from haitang.support.security.policy.entities import LEVELS

PURPOSE = "quarantine"  # where the rows have no work order, or none yet


def note_shown(actor: Actor, run: Run, rows: Sequence[Held], *, way: str) -> str | None:
    """Record that `actor` is shown quarantined rows of a run; returns the record's ref, None where there is nothing above general level in them.

    A row that could not be cut into cells counts as showing every such field: its text may hold them all. `way` is the page or API without values.
    """
    resource = in_force().all(Resource).get(run.resource)
    above = _above_general(resource) if resource else {}
    if not (rows and above):
        return None
    answer = [[row.pk, row.raw, row.cells, row.mended] for row in rows]
    with acting(actor) as act:
        return record_access(
            act=act, resource=run.resource, fields=sorted(above), rows=len(rows), purpose=f"case:{run.matter}" if run.matter else PURPOSE, way=way,
            answer=answer_digest(json.dumps(answer, ensure_ascii=False, default=str).encode()),
            on_behalf_of=f"organization:{actor.organization}" if actor.organization else None, subjects=_subjects(run, rows, above),
        )  # fmt: skip


def _above_general(resource: Resource) -> dict[str, ResourceField]:
    return {name: field for name, field in resource.fields.items() if LEVELS[field.classified] > LEVELS["general"]}


def _subjects(run: Run, rows: Sequence[Held], above: Mapping[str, ResourceField]) -> Iterator[tuple[str, str]]:
    """Whose data it was, by what stands in the cells of those fields."""
    columns: Mapping[str, Any] = run.columns
    for name in above.keys() & columns.keys():
        headings = [columns[name]] if isinstance(columns[name], str) else columns[name]
        for row in rows:
            for cells in (row.cells, row.mended or {}):
                yield from ((above[name].type, str(cells[heading])) for heading in headings if cells.get(heading))
