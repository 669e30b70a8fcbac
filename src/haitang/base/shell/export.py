"""A table as CSV that spreadsheet programs read; every export leaves evidence."""

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from haitang.base import clock
from haitang.base.actions import acting
from haitang.base.shell.actions import record_export
from haitang.base.shell.context import reader
from haitang.base.text import translate

MOST = 100_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # full-width forms too: some programs fold them


def plain(value: Any) -> Any:
    """A cell: local time with offset, and text that a spreadsheet takes for text and never for a formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(clock.CHINA).isoformat(timespec="seconds")
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def csv_of(request: HttpRequest, table: str, titles: Iterable[str], rows: Sequence[Sequence[Any]]) -> HttpResponse:
    """The rows of a table under their titles; who took them out, and what, is in the evidence."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(map(translate, titles))
    writer.writerows(map(plain, row) for row in rows)
    body = text.getvalue().encode("utf-8-sig")
    with acting(reader(request)) as act:
        record_export(act=act, table=table, rows=len(rows), digest=hashlib.sha256(body).hexdigest(), query=request.GET.urlencode())
    answer = HttpResponse(body, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{table}-{clock.now().astimezone(clock.CHINA):%Y%m%d-%H%M}.csv"'
    return answer
