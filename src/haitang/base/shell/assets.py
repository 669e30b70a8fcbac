"""Names of built web assets: `app.css` -> `/static/app.9bf05d6f03.css`."""

import json
from pathlib import Path

from django.conf import settings

import haitang

MANIFEST = Path(haitang.__file__).parent / "web_assets" / "manifest.json"
_read: tuple[int, dict[str, str]] = (0, {})


def _names() -> dict[str, str]:
    global _read
    try:
        changed = MANIFEST.stat().st_mtime_ns
    except FileNotFoundError:  # not built yet: pages work, unstyled
        return {}
    if changed != _read[0]:
        _read = (changed, json.loads(MANIFEST.read_text("utf-8")))
    return _read[1]


def address(name: str) -> str:
    """Where a built asset is served."""
    return f"{settings.STATIC_URL}{_names().get(name, name)}"
