"""Rows for the made-up resources of a demonstration: the samples that applications ship, without what would be refused, so that no desk fills with work."""

import csv
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from haitang.base.actions import acting
from haitang.base.declarations import in_force
from haitang.base.declarations.owners import applications
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather import actions, incoming, readers
from haitang.hub.data.gather.judge.columns import match
from haitang.hub.data.gather.models import Run
from haitang.hub.data.gather.trying import try_chunk
from haitang.server.demo.people import DEMO

PATIENCE = 60.0  # seconds until a run has ended


def ended(run: Run) -> None:
    """Wait until a run has ended; raises TimeoutError."""
    until = time.monotonic() + PATIENCE
    while not run.ended:
        if time.monotonic() > until:
            raise TimeoutError(f"run {run.pk} of {run.resource} has not ended")
        time.sleep(0.2)
        run.refresh_from_db()


def fill_resources(wait: Callable[[Run], None] = ended) -> None:
    """Gather each sample whose resource has no rows yet, one after the other, since they refer to each other. Safe to repeat."""
    for resource, file in _samples():
        if not Run.objects.filter(resource=resource.id).exists():
            with acting(DEMO) as act:
                kept = incoming.keep(io.BytesIO(accepted(resource, file).encode()), file.name)
                run = actions.start(act=act, resource=resource, file=kept, synthetic=True)
            wait(run)


def _samples() -> Iterator[tuple[Resource, Path]]:
    """Samples of resources that say that they are made up, by name of the resource."""
    declared = in_force().all(Resource)
    for file in sorted((file for owner in applications() for file in (owner.folder / "samples").glob("*.csv")), key=lambda file: file.stem):
        if file.stem in declared and declared[file.stem].synthetic:
            yield declared[file.stem], file


def accepted(resource: Resource, file: Path) -> str:
    """The rows of a file that would be accepted now, as CSV."""
    out = io.StringIO()
    rows = csv.writer(out)
    for number, chunk in enumerate(readers.read(file)):
        headings = chunk.columns.schema.names
        refused = {row.line for row in try_chunk(resource, match(resource, headings, {}), chunk).refused}
        if number == 0:
            rows.writerow(headings)
        rows.writerows(
            [row[name] for name in headings]
            for line, row in zip(chunk.line.to_pylist(), chunk.columns.to_pylist(), strict=True)
            if line not in refused
        )
    return out.getvalue()
