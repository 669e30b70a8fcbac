"""Synthetic enterprises for `gather`: checksum-valid numbers of a division (990101) that does not exist, each file the same for the same size."""

import random
from functools import cache
from pathlib import Path

from haitang.support.standards.codes import organization, resident, social_credit

BAD = 200  # one row in so many breaks one rule, each rule in its turn
CODE_TABLE = "title: 测量类别\ncodes: {a: 甲, b: 乙, c: 丙}\n"
RESOURCE = """
title: 测量企业
summary: 程序生成的数据，不对应任何真实企业或个人
key: [no]
sharing: unconditional
synthetic: true
fields:
  no:       {title: 编号, pattern: 'E[0-9]{8}'}
  name:     {title: 名称, required: true, length: [2, 40]}
  code:     {title: 统一社会信用代码, type: uscc, required: true}
  owner:    {title: 法定代表人证件号码, type: resident_id, required: true}
  division: {title: 行政区划, type: division}
  sort:     {title: 类别, code_table: bench_sort}
  area:     {title: 面积, type: decimal, unit: m2, range: [0, 100000]}
  staff:    {title: 人数, type: integer, range: [0, 100000]}
  opened:   {title: 成立日期, type: date, range: [1949-10-01, null]}
  closed:   {title: 注销日期, type: date}
checks:
  - {must: closed >= opened, says: 注销日期早于成立日期}
"""
HEAD = "编号,名称,统一社会信用代码,法定代表人证件号码,行政区划,类别,面积,人数,成立日期,注销日期\n"
_DIFFERENT = 20_000  # numbers that are made; files of millions use them again
_AT_ONCE = 100_000


def declare(application: Path) -> None:
    """The resource and its code table, as declarations of an application."""
    for name, text in (("resources/bench_firm.yaml", RESOURCE), ("code_tables/bench_sort.yaml", CODE_TABLE)):
        (application / name).parent.mkdir(exist_ok=True)
        (application / name).write_text(text, "utf-8")


def write(to: Path, rows: int, first: int = 0) -> int:
    """Write a file of so many rows, numbered from `first`; returns how many of them break a rule."""
    owners, codes = _numbers()
    bad = 0
    with to.open("w", encoding="utf-8") as file:
        file.write(HEAD)
        for at in range(first, first + rows, _AT_ONCE):
            lines = []
            for n in range(at, min(at + _AT_ONCE, first + rows)):
                cells = [
                    f"E{n:08d}", f"测量企业{n}", codes[n * 7 % _DIFFERENT], owners[n % _DIFFERENT], "500111", "abc"[n % 3], f"{n % 9999 / 7:.2f}",
                    str(n % 500), f"20{n % 20:02d}-0{n % 9 + 1}-1{n % 9}", f"202{n % 5}-12-31" if n % 4 == 0 else "",
                ]  # fmt: skip
                if n % BAD == BAD - 1:
                    _spoil(cells, n // BAD % 10)
                    bad += 1
                lines.append(",".join(cells))
            file.write("\n".join(lines) + "\n")
    return bad


@cache
def _numbers() -> tuple[list[str], list[str]]:
    chance = random.Random(20260301)
    return [_owner(chance) for _ in range(_DIFFERENT)], [_code(chance) for _ in range(_DIFFERENT)]


_SPOILED = ("X1", "店", None, None, "50011", "z", "1e5", "12.5", "1948-01-01", "1999-12-31")


def _spoil(cells: list[str], field: int) -> None:
    """Break the rule of one field; numbers with a check get another check character."""
    spoiled = _SPOILED[field]
    cells[field] = spoiled if spoiled is not None else cells[field][:-1] + ("0" if cells[field][-1] != "0" else "1")


def _owner(chance: random.Random) -> str:
    first = f"990101{chance.randint(1950, 2005)}{chance.randint(1, 12):02d}{chance.randint(1, 28):02d}{chance.randint(0, 999):03d}"
    return first + resident.check_of(first)


def _code(chance: random.Random) -> str:
    own = "".join(chance.choice("0123456789") for _ in range(8))
    first = "91990101" + own + organization.check_of(own)
    return first + social_credit.check_of(first)
