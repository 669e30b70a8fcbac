"""Gathering as JSON: runs, quarantined rows, mending. Uploading is a page's and a command's; large files come from folders and databases."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from haitang.base.actions import acting, require
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather import actions, queries
from haitang.hub.data.gather.judge.reasons import said
from haitang.hub.data.gather.models import Held, Run
from haitang.hub.data.gather.shown import note_shown
from haitang.hub.data.gather.trying import try_row
from haitang.support.security.people.identity import actor, signed_in

router = Router(tags=["gather"], auth=signed_in)

STILL_WRONG = error("gather.still_wrong", 422, "第 {line} 行仍不能接收：{reasons}")
MOST = 500
COUNTS = ("read", "accepted", "quarantined", "file_rows", "inserted", "updated", "unchanged", "repeated", "removed", "left_out", "faults")


class Cells(Schema):
    """heading -> text; headings that are not given keep what they have."""

    cells: dict[str, str]


class Dismissal(Schema):
    rows: list[int]
    reason: str


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": str(run.pk), "resource": run.resource, "state": run.state, "organization": run.organization, "load": run.load, "file": run.file,
        "created_at": run.created_at, "finished_at": run.finished_at, "settled_at": run.settled_at, "error": run.error, "case": run.matter or None,
        "root": str(run.root_id) if run.root_id else None, "provisional": _provisional(run.resource), "synthetic": run.synthetic, **{name: getattr(run, name) for name in COUNTS},
    }  # fmt: skip


def _provisional(id: str) -> bool:
    found = in_force().all(Resource).get(id)
    return found is not None and found.provisional


def _held(row: Held) -> dict[str, Any]:
    return {
        "id": row.pk, "line": row.line, "raw": row.raw, "cells": row.cells, "mended": row.mended, "state": row.state,
        "reasons": [{**reason, "sentence": said(reason)} for reason in row.reasons],
    }  # fmt: skip


@router.get("/gather/runs")
def runs(request: HttpRequest, resource: str = "", limit: int = 50) -> list[dict[str, Any]]:
    """The newest runs that the asker may see."""
    asker = actor(request)
    require(asker, queries.READ, asker)
    found = queries.visible(asker)
    found = found.filter(resource=resource) if resource else found
    return [_run(run) for run in found[: min(max(limit, 1), MOST)]]


@router.get("/gather/runs/{run}")
def run(request: HttpRequest, run: str) -> dict[str, Any]:
    return _run(queries.get(actor(request), run))


@router.get("/gather/runs/{run}/rows")
def rows(request: HttpRequest, run: str, after: int = 0) -> list[dict[str, Any]]:
    """Quarantined rows, at most 500; `after` is the id of the last row of the page before."""
    asker = actor(request)
    found = queries.get(asker, run)
    page = list(found.held.filter(pk__gt=after).order_by("pk")[:MOST])
    note_shown(asker, found, page, way="GET /api/gather/runs/{run}/rows")
    return [_held(row) for row in page]


@router.post("/gather/rows/{row}/mend")
def mend(request: HttpRequest, row: int, body: Cells) -> dict[str, Any]:
    """Mend a row; 422 with every reason where it would be refused again."""
    asker = actor(request)
    held = queries.row(asker, row)
    note_shown(asker, held.run, [held], way="POST /api/gather/rows/{row}/mend")
    cells = {**held.cells, **(held.mended or {}), **body.cells}
    reasons = try_row(in_force().get(Resource, held.run.resource), held.run.columns, cells)
    if reasons:
        raise STILL_WRONG(line=held.line, reasons="；".join(said(reason) for reason in reasons))
    with acting(asker) as act:
        return _held(actions.mend(act=act, run=held.run, held=held, cells=cells))


@router.post("/gather/runs/{run}/dismiss")
def dismiss(request: HttpRequest, run: str, body: Dismissal) -> dict[str, Any]:
    asker = actor(request)
    found = queries.get(asker, run)
    with acting(asker) as act:
        actions.dismiss(act=act, run=found, held=list(found.held.filter(pk__in=body.rows[:MOST])), reason=body.reason)
    return _run(found)


@router.post("/gather/runs/{run}/resubmit")
def resubmit(request: HttpRequest, run: str) -> dict[str, Any]:
    """Put the mended rows into the queue; answers with the run that takes them."""
    asker = actor(request)
    found = queries.get(asker, run)
    with acting(asker) as act:
        return _run(actions.resubmit(act=act, run=found))
