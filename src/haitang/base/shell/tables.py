"""Tables of the desk: sort, filter, choose columns, export; the whole state stands in the address.

table = Table(request, "cases", rows=queryset, columns=COLUMNS, filters=FILTERS, sort="-opened_at", empty=Empty(...))
return table.response("cases/cases.html", {...})         # the page, or the CSV when the address says format=csv
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from haitang.base.ports import policy
from haitang.base.shell.context import reader
from haitang.base.shell.export import MOST, csv_of
from haitang.base.shell.views import show
from haitang.base.text import T

Rows = QuerySet[Any] | Sequence[Any]
A_PAGE = 50


@dataclass(frozen=True)
class Column:
    """One column. `value` is what a program reads (CSV); `cell` how a person sees it; `sort` the field to order by."""

    name: str
    title: str
    value: Callable[[Any], Any]
    cell: Callable[[Any], Any] | None = None
    sort: str = ""
    shown: bool = True
    numeric: bool = False
    wide: bool = False

    def show(self, row: Any) -> Any:
        return (self.cell or self.value)(row)


@dataclass(frozen=True)
class Filter:
    """One filter. `narrow(rows, value)` gives the rows that remain; `choices` value -> title for kind `choice`."""

    name: str
    title: str
    narrow: Callable[[Any, str], Any]
    kind: Literal["choice", "text", "flag", "date"] = "choice"
    choices: Callable[[], Mapping[str, str]] = dict


@dataclass(frozen=True)
class Empty:
    """What an empty table says: why it is empty and what to do next."""

    why: str = T("没有符合条件的记录")
    what_next: str = T("请放宽筛选条件，或清除筛选后再看。")
    link: str = ""
    link_title: str = ""


@dataclass(frozen=True)
class Heading:
    """A column's head: where a click leads and how it is sorted now."""

    column: Column
    sorts_to: str
    direction: str


class Table:
    """One table of one request."""

    def __init__(
        self, request: HttpRequest, id: str, *, rows: Rows, columns: Sequence[Column], filters: Sequence[Filter] = (),
        sort: str = "", empty: Empty = Empty(), unfiltered: Empty | None = None,
    ) -> None:  # fmt: skip
        self.request, self.id, self._rows, self.all_columns, self.filters, self._sort = request, id, rows, columns, filters, sort
        self._empty, self._unfiltered = empty, unfiltered or empty

    @cached_property
    def active(self) -> dict[str, str]:
        """Filters that the address sets."""
        return {f.name: value for f in self.filters if (value := self.request.GET.get(f.name, "").strip())}

    @property
    def empty(self) -> Empty:
        return self._empty if self.active else self._unfiltered

    @cached_property
    def columns(self) -> list[Column]:
        chosen = self.request.GET.getlist("column")
        return [c for c in self.all_columns if (c.name in chosen if chosen else c.shown)] or [c for c in self.all_columns if c.shown]

    @cached_property
    def sort(self) -> str:
        wanted = self.request.GET.get("sort", "")
        return wanted if wanted.lstrip("-") in {c.name for c in self.all_columns if c.sort} else self._sort

    @cached_property
    def rows(self) -> Rows:
        """Every row that the filters leave, in order."""
        rows: Any = self._rows
        for each in self.filters:
            if each.name in self.active:
                rows = each.narrow(rows, self.active[each.name])
        column = next((c for c in self.all_columns if c.name == self.sort.lstrip("-") and c.sort), None)
        if column is None:
            return rows  # type: ignore[no-any-return]
        down = self.sort.startswith("-")
        if isinstance(rows, QuerySet):
            return rows.order_by(*[f"{'-' if down else ''}{field}" for field in column.sort.split(",")], "pk")
        return sorted(rows, key=lambda row: _comparable(column.value(row)), reverse=down)

    @cached_property
    def page(self) -> Page[Any]:
        return Paginator(self.rows, A_PAGE).get_page(self.request.GET.get("page"))

    @property
    def headings(self) -> list[Heading]:
        return [
            Heading(c, f"{'' if self.sort.lstrip('-') != c.name or self.sort.startswith('-') else '-'}{c.name}", self._direction(c))
            for c in self.columns
        ]

    def _direction(self, column: Column) -> str:
        if self.sort.lstrip("-") != column.name:
            return ""
        return "descending" if self.sort.startswith("-") else "ascending"

    @property
    def shown(self) -> list[tuple[Any, list[tuple[Column, Any]]]]:
        return [(row, [(c, c.show(row)) for c in self.columns]) for row in self.page.object_list]

    @property
    def fields(self) -> list[tuple[Filter, str, Mapping[str, str]]]:
        """Filters with what they are set to and what may be chosen."""
        return [(f, self.active.get(f.name, ""), f.choices()) for f in self.filters]

    @property
    def may_export(self) -> bool:
        return policy().decide(actor=reader(self.request), permission="data.export", resource=None).allowed

    def response(self, template: str, context: Mapping[str, Any] | None = None) -> HttpResponse:
        if self.request.GET.get("format") == "csv":
            rows = [[column.value(row) for column in self.columns] for row in self.rows[:MOST]]
            return csv_of(self.request, self.id, [column.title for column in self.columns], rows)
        return show(self.request, template, {"table": self, **(context or {})})


def _comparable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)
