"""What the HJ 212 listener says of itself in `run/hj212.json`: counters, and the unadmitted stations that knock."""

import json
from pathlib import Path
from typing import Any

FILE = "hj212.json"


def hj212(run: Path) -> dict[str, Any]:
    """The listener's last word, empty where it never ran: `at`, `counters`, `knocking` (MN -> st, address, last, count), `listens`."""
    try:
        told = json.loads((run / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
