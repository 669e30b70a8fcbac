"""The canonical content of a release: every file's text by owner, and its digest."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from haitang.base.declarations.owners import Owner


def content_of(owners: Iterable[Owner]) -> dict[str, Any]:
    """`{"owners": [{"name", "where", "files": {relative path: text}}]}`; no path of this machine, so that equal texts are one release."""
    return {"owners": [{"name": owner.name, "where": owner.where, "files": dict(sorted(owner.files.items()))} for owner in owners]}


def digest_of(content: Mapping[str, Any]) -> str:
    """SHA-256 in hex of the content as JSON with sorted keys and no spaces."""
    written = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def owners_in(content: Mapping[str, Any], folders: Mapping[str, str] | None = None) -> list[Owner]:
    """The owners of a release again. `folders`: where each stood when it was admitted, for messages and pictures."""
    known = folders or {}
    return [
        Owner(
            owner["name"],
            owner["where"],
            Path(known.get(f"{owner['where']}:{owner['name']}", owner["name"])),
            dict(sorted(owner["files"].items())),
        )
        for owner in content["owners"]
    ]
