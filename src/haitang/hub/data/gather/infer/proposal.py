"""A proposed resource with its code tables and its source, as declarations that a person reads, mends and accepts."""

import re
from itertools import combinations, islice
from pathlib import Path

from haitang.base.errors import HaitangError, error
from haitang.base.ports import divisions
from haitang.base.text import Saying
from haitang.hub.data.gather.infer.columns import Column, look
from haitang.hub.data.gather.infer.naming import names_of
from haitang.hub.data.gather.infer.types import Point, Proposal
from haitang.hub.data.gather.infer.writing import resource_yaml, table_yaml
from haitang.hub.data.gather.readers import read
from haitang.hub.data.gather.readers.types import Layout
from haitang.support.standards.coordinates import SYSTEMS, convert

NOTHING_TO_INFER = error("gather.nothing_to_infer", 422, "文件 {name} 里没有数据行，无法提议数据资源。")
BAD_ID = error("gather.bad_resource_id", 422, "资源名“{id}”应由小写字母、数字和下划线组成，以字母开头。")

LOOKED_AT = 200_000  # rows
_KEY_TITLE = re.compile(r"编号|代码|编码|号码|号$|证号|id$|code$|(?:^|_)no$", re.IGNORECASE)
_LONGITUDE, _LATITUDE = (
    re.compile(r"经度|^(?:lng|lon|longitude|x坐标)$", re.IGNORECASE),
    re.compile(r"纬度|^(?:lat|latitude|y坐标)$", re.IGNORECASE),
)
_SYSTEM_TITLE = {"gcj02": "gcj|高德|火星|腾讯", "bd09": "bd09|百度", "wgs84": "wgs|gps|84", "cgcs2000": "cgcs|2000|天地图"}


def propose(
    path: Path,
    id: str = "",
    title: str = "",
    layout: Layout | None = None,
    provider: str | None = None,
    name: str = "",
    most: int = LOOKED_AT,
) -> Proposal:
    """Look at the first rows of a file, 200,000 unless told, and propose a resource for it. `name`: what its sender calls the file."""
    title = title or _title_of(Path(name or path.name))
    id = id or _id_of(title)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", id):
        raise BAD_ID(id=id)
    headings, rows, broken, whole = _sample(path, layout, most)
    if not rows:
        raise NOTHING_TO_INFER(name=name or path.name)
    cells = list(zip(*rows, strict=True))
    columns = [look(heading, name, column) for heading, name, column in zip(headings, names_of(headings), cells, strict=True)]
    proposal = Proposal(id, title, columns, [], len(rows), whole)
    if broken:
        proposal.doubts.append(Saying("样本中有 {n} 行列数不对或已损坏，会进入隔离区", n=broken))
    if not whole:
        proposal.doubts.append(Saying("只看了前 {n} 行；后面的行可能有别的取值", n=len(rows)))
    proposal.point = _point(columns, cells)
    proposal.key = _key(proposal, cells)
    proposal.mapping = _mapping(proposal)
    tables = {column.name.word: f"{id}_{column.name.word}" for column in columns if column.codes}
    proposal.files = {
        **{f"code_tables/{table}.yaml": table_yaml(column) for column in columns if (table := tables.get(column.name.word))},
        f"resources/{id}.yaml": resource_yaml(proposal, tables, provider),
    }
    return proposal


def _title_of(path: Path) -> str:
    return re.sub(r"(?:\(\d+\)|_?\d{6,8})$", "", path.name.split(".")[0]) or path.name


def _id_of(title: str) -> str:
    (name,) = names_of([title])
    return name.word if name.known else "provisional_data"


def _sample(path: Path, layout: Layout | None, most: int) -> tuple[list[str], list[tuple[str | None, ...]], int, bool]:
    """Headings, rows, how many are broken, and whether this is the whole file."""
    rows: list[tuple[str | None, ...]] = []
    headings: list[str] = []
    broken = 0
    for chunk in read(path, layout):
        headings = list(chunk.columns.schema.names)
        found = zip(*(column.to_pylist() for column in chunk.columns.columns), strict=True)
        rows += islice(found, most - len(rows))
        broken += len(chunk.broken)
        if len(rows) >= most:
            return headings, rows, broken, chunk.done and chunk.columns.num_rows <= most
    return headings, rows, broken, True


def _key(proposal: Proposal, cells: list[tuple[str | None, ...]]) -> list[str]:
    """The fewest columns that tell every row apart; those without gaps, and those whose title is that of a number, come first."""
    points = {id(proposal.point.longitude), id(proposal.point.latitude)} if proposal.point else set()
    possible = [
        (column, values)
        for column, values in zip(proposal.columns, cells, strict=True)
        if 5 * column.filled >= 4 * proposal.rows and id(column) not in points and column.type not in ("number", "decimal", "boolean")
    ]
    possible.sort(key=lambda found: (not found[0].required, _KEY_TITLE.search(found[0].name.title) is None, -found[0].distinct))
    near: tuple[int, list[Column]] | None = None
    for size in (1, 2, 3):
        for chosen in combinations(possible[:8], size):
            (alike, gaps), columns = _alike(chosen), [column for column, _ in chosen]
            if not alike:
                return _chosen_key(proposal, columns)
            near = (alike + gaps, columns) if near is None or alike + gaps < near[0] else near
    if near is None:
        near = proposal.rows, [proposal.columns[0]]
    told = "、".join(column.name.word for column in near[1])
    proposal.doubts.append(
        Saying("没有找到能区分每一行的列，主键暂取 {key}；样本中有 {n} 行与别的行相同或缺值，会进入隔离区，请改正", key=told, n=near[0])
    )
    return [column.name.word for column in near[1]]


def _alike(chosen: tuple[tuple[Column, tuple[str | None, ...]], ...]) -> tuple[int, int]:
    """How many rows have the same values as another, among those in which all have one; and in how many one is missing."""
    missing = [{*column.missing, "", None} for column, _ in chosen]
    whole = [row for row in zip(*(values for _, values in chosen), strict=True) if not any(map(set.__contains__, missing, row))]
    return len(whole) - len(set(whole)), len(chosen[0][1]) - len(whole)


def _chosen_key(proposal: Proposal, columns: list[Column]) -> list[str]:
    gaps = "、".join(column.name.word for column in columns if not column.required)
    if gaps:
        proposal.doubts.append(Saying("主键的 {names} 有空缺，缺值的行会进入隔离区", names=gaps))
    if len(columns) > 1 or not _KEY_TITLE.search(columns[0].name.title):
        told = "、".join(column.name.word for column in columns)
        proposal.doubts.append(Saying("主键按“每行不同”提议为 {key}，请确认它确能区分每一行", key=told))
    return [column.name.word for column in columns]


def _point(columns: list[Column], cells: list[tuple[str | None, ...]]) -> Point | None:
    """A column of longitudes and one of latitudes within China."""
    east = next(
        (n for n, column in enumerate(columns) if _LONGITUDE.search(column.name.title) and column.type in ("number", "integer")), None
    )
    north = next(
        (n for n, column in enumerate(columns) if _LATITUDE.search(column.name.title) and column.type in ("number", "integer")), None
    )
    if east is None or north is None:
        return None
    pairs = [(_float(x), _float(y)) for x, y in zip(cells[east], cells[north], strict=True)]
    sound = [(x, y) for x, y in pairs if x is not None and y is not None and 73 < x < 136 and 3 < y < 54]
    if 2 * len(sound) < len([pair for pair in pairs if None not in pair]) or not sound:
        return None
    system, doubt = _system(columns[east].heading + columns[north].heading, sound)
    return Point(columns[east], columns[north], system, doubt)


def _float(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _system(title: str, points: list[tuple[float, float]]) -> tuple[str, Saying | None]:
    """By the title; else the system in which most points lie in the place, where that tells systems apart; else CGCS2000 with a doubt."""
    for system, pattern in _SYSTEM_TITLE.items():
        if re.search(pattern, title, re.IGNORECASE):
            return system, None
    lng, lat = zip(*points[:5000], strict=True)
    try:
        inside = {system: sum(map(bool, divisions().locate(*convert(lng, lat, system, "cgcs2000")))) for system in SYSTEMS}
    except (RuntimeError, HaitangError):  # no room serves divisions here, or no place is in force
        inside = {}
    best = max(inside, key=lambda system: inside[system], default="cgcs2000")
    if inside and inside[best] > inside["cgcs2000"]:
        return best, Saying(
            "坐标系按落在辖区内的点数推断（{n} 个，按 CGCS2000 只有 {fewer} 个），请向来源单位确认",
            n=inside[best],
            fewer=inside["cgcs2000"],
        )
    return "cgcs2000", Saying("坐标系无法从数据中看出，暂按 CGCS2000；高德、腾讯地图取的点应写 gcj02，百度写 bd09（差约 500 米）")


def _mapping(proposal: Proposal) -> dict[str, str | list[str]]:
    point = proposal.point
    found: dict[str, str | list[str]] = {}
    for column in proposal.columns:
        if point and column is point.longitude:
            found["location"] = [point.longitude.heading, point.latitude.heading]
        elif not (point and column is point.latitude):
            found[column.name.word] = column.heading
    return found
