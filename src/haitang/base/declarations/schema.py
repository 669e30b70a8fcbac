"""JSON Schema of each kind, for editors: written next to each other so that an editor completes keys and underlines what is not allowed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haitang.base.declarations.files import expected_file
from haitang.base.declarations.kinds import Kind, all_kinds
from haitang.base.declarations.model import Tunable
from haitang.base.declarations.walk import tunable_paths


def schema_of(kind: Kind) -> dict[str, Any]:
    """The schema of one file of the kind (a table: id -> body). Keys that a place may set say so in `x-tunable`."""
    body = kind.model.model_json_schema(by_alias=True)
    if kind.shape in ("sql", "cedar"):  # the statement stands below the header, not in it
        body.get("properties", {}).pop(kind.shape, None)
        body["required"] = [name for name in body.get("required", []) if name != kind.shape]
    if kind.shape == "table":
        definitions = body.pop("$defs", {})
        body = {"type": "object", "additionalProperties": body, "$defs": definitions}
    tunable: Mapping[str, Tunable] = dict(tunable_paths(kind.model))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{kind.name} · {kind.title}",
        "x-file": expected_file(kind),
        "x-tunable": {path: mark.why for path, mark in tunable.items()},
        **{key: value for key, value in body.items() if key != "title"},
    }


def write_schemas(folder: Path) -> list[Path]:
    """Write `<kind>.json` for every kind that is written in YAML; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in all_kinds().values():
        if kind.shape != "geojson":
            file = folder / f"{kind.name}.json"
            file.write_text(json.dumps(schema_of(kind), ensure_ascii=False, indent=2) + "\n", "utf-8")
            written.append(file)
    return written
