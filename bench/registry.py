"""A resource of synthetic rows as large as a benchmark asks, who reads it, and the same rows in bare PostgreSQL.

Shortcut: the rows go straight into the lake with set SQL instead of through gathering (`gather` measures that). They have every column that gathering writes, block by
block, each block stands in `blocks`, and the files are merged as the writer does within a minute; but a block's root is not computed from its rows, so this resource's evidence would not verify. No read looks at it.
"""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.instance import left_at_rest, merged

ID = "bench_register"
KINDS, TOWNS = 100, 10
BLOCK, AT_ONCE = 100_000, 1_000_000
_RESOURCE = """title: 测量用登记簿
key: ['no']
sharing: conditional
basis: 测量用
provider: bench_bureau
synthetic: true
fields:
  'no': {title: 编号}
  title: {title: 名称}
  kind: {title: 类别}
  town: {title: 区划, type: division}
  area: {title: 面积, type: number, unit: m2}
  registered: {title: 登记日期, type: date}
  holder: {title: 持有人, level: sensitive}
  secret: {title: 内部记载, level: core}
"""
_TOWN_POLICY = """//---
// title: 测量：镇街只看本辖区
//---
forbid (principal in Role::"bench_town", action == Action::"data.read", resource)
when { resource has division && !(principal has division && resource.division in principal.division) };
"""
# What row `i` says, in SQL that DuckDB and PostgreSQL both read.
_VALUES = (
    f"'N' || lpad(i::varchar, 9, '0') as no, '测量对象 ' || i as title, 'k' || (i * 7919 % {KINDS}) as kind, "
    f"'9901010' || lpad((1 + i * 104729 % {TOWNS})::varchar, 2, '0') as town, (i % 10007)::double precision / 8 as area, "
    "date '2020-01-01' + (i % 2000)::integer as registered, '持有人' || (i % 100003) as holder, 'x' || (i % 17) as secret"
)


def declare(application: Path) -> None:
    """The resource, the two roles that read it (all rows; a tenth by policy), and that policy."""
    for folder, name, text in (
        ("resources", f"{ID}.yaml", _RESOURCE),
        ("roles", "bench_reader.yaml", "title: 测量读者\nmay: [data.read, resource.read, indicator.read, thing.read]\n"),
        ("roles", "bench_town.yaml", "title: 测量镇街读者\nmay: [data.read, resource.read]\n"),
        ("policies", "bench_town.cedar", _TOWN_POLICY),
    ):
        (application / folder).mkdir(exist_ok=True)
        (application / folder / name).write_text(text, "utf-8")


def reader(name: str, role: str, organization: str, scopes: list[str]) -> str:
    """Make a synthetic person with a role and give the text of an API token of theirs."""
    import secrets

    from haitang.base.actions import acting, system
    from haitang.support.security.people.actions import create_person, give_role
    from haitang.support.security.tokens.actions import create_own_token

    with acting(system("operator")) as act:
        who = create_person(
            act=act,
            username=name,
            name="测量（示例）",
            organization=organization,
            password=f"{secrets.token_urlsafe(18)}-a1",
            synthetic=True,
        )
        give_role(act=act, person=who, role=role)
        type(who).objects.filter(pk=who.pk).update(must_change_password=False)
    with acting(system("operator")) as act:
        return create_own_token(act=act, person=who, title="bench", scopes=scopes, expires_at=act.at + timedelta(days=1))[1]


def fill(rows: int) -> float:
    """Put `rows` rows into the lake, on top of none; gives the seconds."""
    from haitang.base.declarations import in_force
    from haitang.base.ids import new_id
    from haitang.hub.data.catalogue.kinds import Resource
    from haitang.hub.data.catalogue.tables import ensure, name_of
    from haitang.hub.data.lake.connection import writer
    from haitang.hub.data.lake.transaction import transaction

    began, lake, run = time.monotonic(), writer(), new_id()
    resource = in_force().get(Resource, ID)
    with transaction(lake):
        ensure(lake, resource)
    for first in range(0, rows, AT_ONCE):
        last, table = min(first + AT_ONCE, rows), name_of(ID)
        with transaction(lake, table, "blocks"):
            block = lake.execute("select coalesce(max(id), 0) + 1 from lake.blocks").fetchone()[0]
            lake.execute(
                f"insert into lake.{table} by name select {_VALUES}, ({block} + (i - {first}) // {BLOCK})::bigint as block, "
                f"((i - {first}) % {BLOCK})::integer as block_index, '{run}' as run, i as line, now() as gathered_at, 'bench' as release "
                f"from range({first}, {last}) r(i) order by i"
            )
            lake.execute(
                f"insert into lake.blocks select {block} + b, '{table}', {BLOCK}, repeat('0', 64), 0, 0, now(), 'bench', null "
                f"from range({-(-(last - first) // BLOCK)}) r(b)"
            )
    merged(lake)
    return left_at_rest(lake, began)


def empty() -> None:
    """Take the rows away again, so that a larger number can follow in the same instance."""
    from haitang.hub.data.catalogue.tables import name_of, past_of
    from haitang.hub.data.lake.connection import writer

    lake = writer()
    for table in (name_of(ID), past_of(ID)):
        lake.execute(f"drop table if exists lake.{table}")
    lake.close()


def bare(url: str, rows: int) -> None:
    """The same rows in a table of bare PostgreSQL, with an index for the filter and the order that are measured."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop table if exists bench_bare")
        connection.execute(f"create table bench_bare as select {_VALUES}, i as line from generate_series(0::bigint, {rows - 1}) r(i)")
        connection.execute("create index on bench_bare (kind, line)")
        connection.execute("vacuum analyze bench_bare")


async def bare_pages(url: str, connections: int, requests: int, pages: int) -> float:
    """Pages a second with filter and exact count out of `bare`."""
    import asyncio
    import random

    import psycopg

    async def asks(number: int) -> None:
        chance = random.Random(number)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            for _ in range(requests):
                kind, page = f"k{chance.randrange(KINDS)}", chance.randrange(pages)
                await (await connection.execute("select count(*) from bench_bare where kind = %s", [kind])).fetchall()
                await (await connection.execute(
                    "select * from bench_bare where kind = %s order by line limit 100 offset %s", [kind, page * 100]
                )).fetchall()  # fmt: skip

    began = time.perf_counter()
    await asyncio.gather(*(asks(number) for number in range(connections)))
    return connections * requests / (time.perf_counter() - began)


def told(answer: Any) -> int:
    """The rows of an answer of the API, once it is seen to be one."""
    if not (answer["total"] and answer["rows"] and answer["evidence"]):
        raise RuntimeError(f"not the answer that was asked for: {str(answer)[:300]}")
    return len(answer["rows"])
