"""Kinds of the catalogue: resource, code_table.

Sharing attributes and update cycles follow 《政务信息资源目录编制指南（试行）》 (2017); codes for them differ between implementations, so words are kept
here and mapped at the border. Levels follow GB/T 43697-2024 (core, important, general data); `public` and `sensitive` split its general data
as open government portals do. Both are read from secondary sources, not from the texts of the standards.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic import Field as Key

from haitang.base.declarations import Declaration, Reference, SpanText, Text, Tunable, Word, kind
from haitang.base.text import T

Level = Literal["public", "general", "sensitive", "important", "core"]
Type = Literal[
    "text", "integer", "number", "decimal", "boolean", "date", "datetime",
    "uscc", "organization_code", "resident_id", "division", "licence_plate", "mobile", "point",
]  # fmt: skip
Update = Literal["realtime", "daily", "weekly", "ten_days", "monthly", "quarterly", "half_yearly", "yearly", "irregular", "never"]

LEVELS: dict[str, str] = {"public": T("公开"), "general": T("一般"), "sensitive": T("敏感"), "important": T("重要"), "core": T("核心")}
TYPES: dict[str, str] = {
    "text": T("文本"), "integer": T("整数"), "number": T("数值"), "decimal": T("定点数"), "boolean": T("是否"), "date": T("日期"),
    "datetime": T("日期时间"), "uscc": T("统一社会信用代码"), "organization_code": T("组织机构代码"), "resident_id": T("居民身份证号码"),
    "division": T("行政区划代码"), "licence_plate": T("机动车号牌"), "mobile": T("手机号码"), "point": T("点位"),
}  # fmt: skip
SHARING: dict[str, str] = {"unconditional": T("无条件共享"), "conditional": T("有条件共享"), "none": T("不予共享")}
UPDATES: dict[str, str] = {
    "realtime": T("实时"), "daily": T("每日"), "weekly": T("每周"), "ten_days": T("每旬"), "monthly": T("每月"), "quarterly": T("每季度"),
    "half_yearly": T("每半年"), "yearly": T("每年"), "irregular": T("不定期"), "never": T("不更新"),
}  # fmt: skip
PERSONAL = frozenset({"resident_id", "mobile"})  # sensitive unless the field says otherwise
_TAKEN = frozenset({"block", "block_index", "run", "line", "release", "gathered_at", "ended_block", "ended_index", "ended_how", "ended_at"})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _bound(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _two(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2 and value[0] is None and value[1] is None:
        raise ValueError("至少要写一个界限")
    return value


Bound = Annotated[float | str | None, BeforeValidator(_bound)]
Range = Annotated[tuple[Bound, Bound], BeforeValidator(_two)]


class ResourceField(_Part):
    """One field (信息项) of a resource: what it means, how it is checked, how it is protected.

    `type`: `decimal` is exact with `digits` decimals; a point becomes the columns `<field>_longitude`, `<field>_latitude` (degrees, CGCS2000) and
    `<field>_division`, from coordinates in `system`. Codes (`uscc`, `resident_id`, ...) are checked by their standards, check characters included.
    `range`: both ends belong to it, null leaves an end open; numbers, or dates as text. `length`: characters, both ends belong to it.
    `pattern`: a regular expression (RE2) that fits the whole value. `references`: `resource.field` whose values are allowed.
    `also`: other headings under which files carry it. `formats`: how files write a date, as strptime does; the usual ones are known.
    `missing`: texts that mean no value, besides the empty one.
    """

    title: Text
    type: Type = "text"
    required: bool = False
    unique: bool = False
    range: Annotated[Range | None, Tunable("取值范围：超出的行进入隔离区")] = None
    length: tuple[int, int] | None = None
    pattern: str | None = None
    code_table: Annotated[str, Reference("code_table")] | None = None
    references: str | None = Key(default=None, pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")
    level: Level | None = None  # not written: sensitive for resident_id and mobile, else general
    unit: str | None = None
    digits: int = Key(default=2, ge=0, le=12)
    system: Literal["wgs84", "cgcs2000", "gcj02", "bd09"] = "cgcs2000"
    formats: list[str] = []
    also: list[str] = []
    missing: list[str] = []
    summary: Text | None = None

    @property
    def classified(self) -> Level:
        """The level that holds."""
        return self.level or ("sensitive" if self.type in PERSONAL else "general")


class Condition(_Part):
    """A condition that must hold within each row: `must` compares fields (`expires >= issued`), `says` is told where it does not.

    A row whose compared fields are missing meets it.
    """

    must: str
    says: Text | None = None


class RecordedSeries(_Part):
    """How the rows are a recorded series that `haitang replay --of` plays: as devices of the type `device`, one for each value of the field `thing`.

    `properties`: property of the device -> field with its number. Values of an hour are averaged.
    """

    device: Annotated[str, Reference("device")]
    time: Word
    thing: Word
    properties: dict[Word, Word] = Key(min_length=1)


def _conditions(written: Any) -> Any:
    return [{"must": each} if isinstance(each, str) else each for each in written] if isinstance(written, list) else written


def _not_taken(fields: dict[str, ResourceField]) -> dict[str, ResourceField]:
    if taken := sorted(_TAKEN & fields.keys()):
        raise ValueError(f"{'、'.join(taken)} 是平台自己的列名")
    return fields


@kind("resource", title="数据资源", folder="resources", where="application,place")
class Resource(Declaration):
    """A resource (数据资源): what it holds, who provides it, how it may be shared, how each row is checked.

    `sharing`: conditional needs the condition, none its legal basis, under `basis`. `provider`: the organization role that provides it; not
    written: that of the application. `duplicates`: what becomes of a row whose key stands in the same file already. `fresh_within`: not written:
    what `update` promises, with half of it on top.
    """

    title: Text
    summary: Text | None = None
    key: list[Word] = Key(min_length=1)
    sharing: Literal["unconditional", "conditional", "none"] = "conditional"
    basis: Text | None = None
    update: Update = "irregular"
    provider: Annotated[str, Reference("organization role")] | None = None
    theme: Text | None = None  # theme class (主题), such as 生态环保
    fields: Annotated[dict[Word, ResourceField], AfterValidator(_not_taken)] = Key(min_length=1)
    checks: Annotated[list[Condition], BeforeValidator(_conditions)] = []
    duplicates: Literal["quarantine", "first", "last"] = "quarantine"
    fresh_within: Annotated[SpanText | None, Tunable("多久没有更新算过期")] = None
    series: RecordedSeries | None = None
    synthetic: bool = False  # its data is made up, and says so on every page


class CodeEntry(_Part):
    """One code: its title, the code above it, the days on which it holds (both ends belong to it)."""

    title: Text
    parent: str | None = None
    from_: date | None = Key(default=None, alias="from")
    until: date | None = None


def _entries(written: Any) -> Any:
    if not isinstance(written, dict):
        return written
    return {str(code): {"title": entry} if isinstance(entry, str) else entry for code, entry in written.items()}


@kind("code_table", title="代码表", folder="code_tables", shape="codes", where="application,place")
class CodeTable(Declaration):
    """A table of codes with their titles.

    As YAML: `codes: {A: 农、林、牧、渔业, ...}`, or a mapping with `title`, `parent`, `from`, `until` for a code. As CSV: a first line
    `# title` and columns `code,title[,parent][,from][,until]`. `source`: the standard that publishes it.
    """

    title: Text
    source: str | None = None
    codes: Annotated[dict[str, CodeEntry], BeforeValidator(_entries)] = Key(min_length=1)

    def valid_on(self, day: date) -> dict[str, CodeEntry]:
        """The codes that hold on a day."""
        return {
            code: entry
            for code, entry in self.codes.items()
            if (entry.from_ is None or entry.from_ <= day) and (entry.until is None or day <= entry.until)
        }
