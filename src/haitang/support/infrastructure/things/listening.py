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


def strangers(run: Path) -> list[dict[str, Any]]:
    """Who knocks at the listeners for MQTT and HTTP without a valid credential: `name` (what it called itself), `way`, `address`, `count`, `last`."""
    found = []
    for way in ("mqtt", "http"):
        try:
            told = json.loads((run / f"{way}.json").read_text("utf-8"))
        except (OSError, ValueError):
            continue
        found += [{"name": name, "way": way.upper(), **knock} for name, knock in told.get("knocking", {}).items()]
    return sorted(found, key=lambda each: str(each["last"]), reverse=True)
