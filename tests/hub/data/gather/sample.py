"""A resource with a rule of each sort, and rows for it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from haitang.base.declarations import Declarations
from haitang.base.declarations.loader import load_folders
from haitang.base.declarations.owners import Owner
from haitang.hub.data.gather.readers.types import Broken, Chunk

SHOP = """
title: 商户
key: [no]
sharing: unconditional
provider: market_bureau
fields:
  no:     {title: 编号, pattern: 'S[0-9]{3,9}'}
  name:   {title: 名称, required: true, length: [2, 20]}
  code:   {title: 统一社会信用代码, type: uscc, unique: true}
  phone:  {title: 电话, type: mobile}
  kind:   {title: 类别, code_table: shop_kinds}
  area:   {title: 面积, type: decimal, range: [0, 5000], unit: m2}
  staff:  {title: 人数, type: integer}
  opened: {title: 开业日期, type: date, range: [1978-01-01, null]}
  closed: {title: 停业日期, type: date}
  street: {title: 街道, references: streets.code}
  open:   {title: 营业, type: boolean, missing: ['不详']}
  where:  {title: 位置, type: point, system: gcj02}
checks:
  - {must: closed >= opened, says: 停业日期早于开业日期}
"""
STREETS = "title: 街道\nkey: [code]\nsharing: unconditional\nfields:\n  code: {title: 代码}\n"
KINDS = "title: 类别\ncodes: {a: 餐饮, b: 零售, old: {title: 旧类, until: 2000-12-31}}\n"
FILES = {"resources/shop.yaml": SHOP, "resources/streets.yaml": STREETS, "code_tables/shop_kinds.yaml": KINDS}


def declared(**changes: str) -> Declarations:
    """The declarations; a keyword `duplicates="first"` is written into the resource."""
    more = "".join(f"{key}: {value}\n" for key, value in changes.items())
    owner = Owner("sample", "application", Path("sample"), {**FILES, "resources/shop.yaml": SHOP + more})
    return load_folders([owner]).partial


def chunk(
    rows: Sequence[Mapping[str, str | None]], *, first: int = 2, broken: Sequence[Broken] = (), done: bool = True, **more: Any
) -> Chunk:
    """Rows (field -> text) as a reader gives them, from line `first` on."""
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["no"]
    batch = pa.RecordBatch.from_pydict({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})
    raw = [",".join(row.get(name) or "" for name in names) for row in rows]
    lines = pa.array(range(first, first + len(rows)), pa.int64())
    given = {
        "position": {"row": first + len(rows)},
        "file_rows": first + len(rows) - 1,
        "read_bytes": 1,
        "total_bytes": 1,
        "left_out": {"header": 1},
        **more,
    }
    return Chunk(columns=batch, line=lines, broken=broken, raw=lambda wanted: [raw[n] for n in wanted], done=done, **given)


def good(number: int = 1, **changes: str | None) -> dict[str, str | None]:
    """A row that breaks no rule."""
    row: dict[str, str | None] = {
        "no": f"S{number:03}",
        "name": f"小店{number}",
        "kind": "a",
        "area": "12.50",
        "opened": "2020-01-01",
        "open": "是",
    }
    return {**row, **changes}
