"""A lake, the sample's declarations with what ships, and a bench that gathers files as the processes do."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from haitang.base.actions import acting, system
from haitang.base.declarations import Declarations, put_in_force
from haitang.base.declarations import in_force as current
from haitang.base.declarations.loader import load_folders
from haitang.base.declarations.owners import Owner, applications, owner_of_folder, rooms
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather import actions, incoming, landing, process
from haitang.hub.data.gather.models import Run
from haitang.hub.data.lake.connection import forget
from haitang.server.discovery import load_kinds
from haitang.support.security.people.models import Organization
from tests.hub.data.fresh import fresh_lake
from tests.hub.data.gather.sample import FILES, SHOP

PLACE = Path(__file__).parents[4] / "places/dazu"
OPERATOR = system("operator")


@cache
def everything(**changes: str) -> Declarations:
    more = "".join(f"{key}: {value}\n" for key, value in changes.items())
    sample = Owner(
        "sample", "application", Path("sample"), {"application.yaml": "title: 样例\n", **FILES, "resources/shop.yaml": SHOP + more}
    )
    loaded = load_folders([*rooms(), *applications(), sample, owner_of_folder(PLACE, "place")])
    assert loaded.declarations, "\n".join(map(str, loaded.errors))
    return loaded.declarations


@dataclass
class Bench:
    """Gathers a text as a file: start, read, land, finish."""

    lake: Any

    def start(self, text: str | bytes, name: str = "商户.csv", **more: Any) -> Run:
        data = text if isinstance(text, bytes) else text.encode()
        with acting(OPERATOR) as act:
            return actions.start(
                act=act, resource=current().get(Resource, more.pop("resource", "shop")), file=incoming.keep(BytesIO(data), name), **more
            )

    def work(self) -> None:
        """Until nothing is left to do."""
        while process.once(Event()) | landing.follow(self.lake, 0) | process.finish_landed():
            pass

    def gather(self, text: str | bytes, **more: Any) -> Run:
        run = self.start(text, **more)
        self.work()
        run.refresh_from_db()
        return run

    def rows(self, what: str = "no, name, area", table: str = "resource_shop", order: str = "1") -> list[tuple[Any, ...]]:
        return list(self.lake.execute(f"select {what} from lake.{table} order by {order}").fetchall())

    def declare(self, **changes: str) -> None:
        put_in_force(everything(**changes))


@pytest.fixture
def bench(db: None, tmp_path: Path) -> Iterator[Bench]:
    load_kinds()
    try:
        before = current()
    except Exception:
        before = None
    Organization.objects.create(id="market", title="区市场监督管理局", fills=["market_bureau"])
    with fresh_lake(tmp_path) as lake:
        put_in_force(everything())
        yield Bench(lake)
        forget()
    if before is not None:
        put_in_force(before)
