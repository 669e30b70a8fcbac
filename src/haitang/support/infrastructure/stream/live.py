"""The port `live`: tells open pages that something changed, when and only when the transaction commits.

PostgreSQL's NOTIFY is part of the transaction, so there is nothing to lose between the commit and the announcement. `front` listens on the channel.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

CHANNEL = "haitang_live"
LIMIT = 7_500  # bytes; PostgreSQL refuses a payload of 8,000


class PostgresLiveFeed:
    """Announces over NOTIFY: `{"topic": ..., "payload": {...}}`."""

    def announce(self, topic: str, payload: Mapping[str, Any]) -> None:
        self.announce_all([(topic, payload)])

    def announce_all(self, given: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, text) FROM unnest(%s::text[]) said(text)", [CHANNEL, [message(*each) for each in given]])


def message(topic: str, payload: Mapping[str, Any]) -> str:
    """The announcement as JSON of at most LIMIT bytes.

    Of a larger payload only what identifies things stays (`id`, `ids`, keys ending in `_id`), marked `partial`; ids that do not fit either are left out,
    and the page then asks for everything of the topic.
    """
    text = _json(topic, payload)
    if _fits(text):
        return text
    ids = {key: value for key, value in payload.items() if key in ("id", "ids", "things") or key.endswith("_id")}
    text = _json(topic, {**ids, "partial": True})
    return text if _fits(text) else _json(topic, {"partial": True})


def _json(topic: str, payload: Mapping[str, Any]) -> str:
    return json.dumps({"topic": topic, "payload": payload}, ensure_ascii=False, default=str, separators=(",", ":"))


def _fits(text: str) -> bool:
    return len(text.encode()) <= LIMIT
