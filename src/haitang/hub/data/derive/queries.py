"""Reads of derivations, for indicators, pages and charts."""

from collections.abc import Sequence
from typing import Any

import duckdb

from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.base.text import Saying
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.models import DerivationRun
from haitang.hub.data.derive.sources import relation
from haitang.hub.data.derive.sql import BAD_SQL, Source, parse, render
from haitang.hub.data.lake.connection import reader
from haitang.hub.data.lake.queries import dicts
from haitang.hub.data.lake.schema import tables

NOT_DERIVED = error("derive.not_derived", 503, "派生数据 {name} 还没有计算过：收到第一批数据后几秒内即可查询，请稍后再试。")


def select(sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Run one SELECT over derivations (by id) and lake tables; raises BAD_SQL, NOT_DERIVED. `day_of`, `hour_of_day` and `start_of_year` are understood."""
    declarations = in_force()
    parsed = parse(sql, declarations.all(Derive).keys())
    if parsed.functions:
        raise BAD_SQL(reason=Saying("不能使用函数 {name}", name="、".join(sorted(parsed.functions))))

    def only_tables(source: Source) -> str:
        if source.kind not in ("derive", "lake"):
            raise BAD_SQL(reason=Saying("这里不能用 {name}，请先写成派生数据", name=source.word))
        return relation(source, declarations, (), None)

    try:
        return dicts(render(parsed, only_tables, lambda name: name), params)
    except duckdb.CatalogException:
        there = tables(reader())
        named = sorted(source.name for source in parsed.sources if source.kind == "derive")
        if missing := [name for name in named if table_of(name) not in there]:
            raise NOT_DERIVED(name="、".join(missing)) from None
        raise


def table_of(derivation: str) -> str:
    """The lake table of a derivation; raises NOT_DECLARED."""
    in_force().get(Derive, derivation)
    return f"derived_{derivation}"


def last_run(derivation: str) -> DerivationRun | None:
    """The newest run, with what failed in it."""
    return DerivationRun.objects.filter(derivation=derivation).order_by("-started").first()


def runs(derivation: str, limit: int = 50) -> list[DerivationRun]:
    return list(DerivationRun.objects.filter(derivation=derivation).order_by("-started")[:limit])
