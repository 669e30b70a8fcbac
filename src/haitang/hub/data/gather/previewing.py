"""The first rows of a file as a page shows them before anything is gathered."""

from collections.abc import Mapping
from typing import Any

from haitang.base.declarations import Declarations
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather import resource_pages
from haitang.hub.data.gather.judge.reasons import said
from haitang.hub.data.gather.readers.types import Chunk
from haitang.hub.data.gather.trying import try_chunk


def judged(resource: Resource, columns: Mapping[str, Any], chunk: Chunk, declarations: Declarations | None = None) -> dict[str, Any]:
    """Rows of a chunk as they would be understood, or why they would be quarantined, for a preview."""
    found = try_chunk(resource, columns, chunk, declarations)
    titles = resource_pages.columns_of(resource)
    names = [titles[name] for name in found.accepted.schema.names if name != "line"]
    last = chunk.line[-1].as_py() if len(chunk.line) else 0  # a broken row far below is none of the first
    accepted = [{"line": row.pop("line"), "cells": list(row.values()), "reasons": []} for row in found.accepted.to_pylist()]
    refused = [
        {"line": row.line, "raw": row.raw, "reasons": [_reason(resource, reason) for reason in row.reasons]}
        for row in found.refused
        if row.line <= last or not last
    ]
    return {
        "columns": names,
        "rows": sorted([*accepted, *refused], key=lambda row: int(row["line"])),
        "bad": len(refused),
        "good": len(accepted),
    }


def _reason(resource: Resource, reason: Mapping[str, Any]) -> tuple[str, str]:
    field = resource.fields.get(str(reason["field"]))
    return (field.title if field else "", said(reason))
