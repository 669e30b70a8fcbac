"""What the page frame's navigation shows. A room's `pages.py` says `entry(...)` beside its addresses; nothing is registered elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass

from haitang.base import ports
from haitang.base.actions import Actor

GROUPS = {"work": "办理", "watch": "监测", "know": "数据与证据", "run": "平台"}


@dataclass(frozen=True)
class Entry:
    """One entry. `group` is a key of GROUPS; shown to those whose roles give `permission`; `badge` counts what waits for the reader."""

    id: str
    title: str
    url: str
    icon: str
    group: str
    order: int
    permission: str | None = None
    badge: Callable[[Actor], int] | None = None


@dataclass(frozen=True)
class Shown:
    """An entry as a reader sees it."""

    entry: Entry
    count: int
    current: bool


_entries: dict[str, Entry] = {}
_sources: list[Callable[[Actor], list[Entry]]] = []


def entry(
    id: str,
    *,
    title: str,
    url: str,
    icon: str,
    group: str = "work",
    order: int = 50,
    permission: str | None = None,
    badge: Callable[[Actor], int] | None = None,
) -> None:
    """Declare an entry; `icon` is a name of the Tabler set."""
    _entries[id] = Entry(id, title, url, icon, group, order, permission, badge)


def entries_from(source: Callable[[Actor], list[Entry]]) -> None:
    """Entries that depend on the release in force (declared pages)."""
    if source not in _sources:
        _sources.append(source)


def _may(actor: Actor, wanted: Entry) -> bool:
    """A permission that holds for one's own organization shows the entry; the page then shows what is one's own."""
    return wanted.permission is None or ports.policy().decide(actor=actor, permission=wanted.permission, resource=actor).allowed


def navigation(actor: Actor, path: str) -> list[tuple[str, list[Shown]]]:
    """(group title, entries) for this reader, groups without entries left out; the longest address that `path` begins with is current."""
    found = [e for e in (*_entries.values(), *(e for source in _sources for e in source(actor))) if _may(actor, e)]
    here = max((e.url for e in found if path == e.url or (e.url != "/" and path.startswith(e.url + "/"))), key=len, default="")
    shown = {
        group: [
            Shown(e, e.badge(actor) if e.badge else 0, e.url == here)
            for e in sorted(found, key=lambda e: (e.order, e.id))
            if e.group == group
        ]
        for group in GROUPS
    }
    return [(GROUPS[group], rows) for group, rows in shown.items() if rows]
