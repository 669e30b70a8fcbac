"""What a column holds, by its content and its title: type, level, code table, missing words; each guess with what speaks against it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from haitang.base.text import Saying
from haitang.hub.data.gather.infer.naming import Name
from haitang.support.standards.codes import CODES

MOST_WRONG = 0.05  # a column is of a type where no more than this share of its values is not
_FEW = 20  # with fewer values a type that anything could meet by chance is asked to be in the title
_MISSING = {"--", "-", "—", "*", "/", "NA", "N/A", "n/a", "null", "NULL", "None", "无", "暂无", "缺测", "\\N"}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9]\d*|[1-9]\d{0,2}(?:,\d{3})+)")
_NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d*|[1-9]\d{0,2}(?:,\d{3})+)?(?:\.\d+)?(?:[eE][-+]?\d+)?")
_YES_NO = ({"是", "否"}, {"有", "无"}, {"true", "false"}, {"yes", "no"}, {"y", "n"}, {"√", "×"})
_MONEY = re.compile(r"元|金额|价|费|款|收入|支出|产值|税")
_DATES: tuple[tuple[str, str, str | None], ...] = (
    (r"\d{4}[-/]\d{1,2}[-/]\d{1,2}", "date", None),
    (r"\d{4}年\d{1,2}月\d{1,2}日", "date", None),
    (r"\d{4}\.\d{1,2}\.\d{1,2}", "date", None),
    (r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", "date", None),
    (r"\d{4}[-/]\d{1,2}[-/]\d{1,2}[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?", "datetime", None),
    (r"\d{4}年\d{1,2}月\d{1,2}日 ?\d{1,2}(?::\d{2}(?::\d{2})?|时\d{1,2}分)", "datetime", None),
    (r"(?:19|20)\d{12}", "datetime", None),
    (r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d{2} \d{2}:\d{2}:\d{2} CST \d{4}", "datetime", "%a %b %d %H:%M:%S CST %Y"),
    (r"\d{1,2}/\d{1,2}/\d{4}", "date", "%m/%d/%Y"),
)
_CODES: dict[str, tuple[str, str]] = {  # type -> the code's name, what its title would say
    "resident_id": ("resident_id", "身份证|证件号"),
    "uscc": ("uscc", "信用代码|税号"),
    "mobile": ("mobile", "手机|电话|联系方式|移动"),
    "licence_plate": ("licence_plate", "车牌|号牌"),
    "organization_code": ("organization_code", "组织机构代码"),
    "division": ("division", "区划|行政代码|区域代码|areacode|division|adcode"),
}
_CHANCE = {"organization_code", "division"}  # plain numbers can meet these
_PERSONAL = re.compile(
    r"姓名|联系人|电话|住址|家庭|户籍|身份|银行|账号|账户|病|诊断|民族|出生|车主|监护|邮箱|法定代表人|婚姻|宗教|学生|患者|低保|残疾"
)
_INSIDE = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|[1-9]\d{16}[\dXx])(?!\d)")


@dataclass
class Column:
    """A proposed field. `doubts`: what a person should look at."""

    heading: str
    name: Name
    type: str = "text"
    level: str | None = None
    digits: int | None = None
    formats: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)  # values of a code table
    required: bool = False
    distinct: int = 0
    filled: int = 0
    wrong: int = 0  # values that do not fit the type
    why: str = ""  # why its level is above general
    doubts: list[Saying] = field(default_factory=list)

    @property
    def fits(self) -> float:
        """Which share of its values is of the type, 0 to 1."""
        return 1 - self.wrong / self.filled if self.filled else 0.0


def look(heading: str, name: Name, cells: Sequence[str | None]) -> Column:
    """Guess what a column is from its cells."""
    column = Column(heading, name)
    told = [cell.strip() for cell in cells if cell and cell.strip()]
    counts = Counter(told)
    values = [value for value in told if value not in _MISSING]
    missing = [word for word, _ in counts.most_common() if word in _MISSING]
    column.distinct, column.filled = len(set(values)), len(values)
    column.required = bool(values) and len(values) == len(cells)
    if not values:
        column.doubts.append(Saying("整列没有值，类型暂按文本"))
        return column
    _type(column, values)
    if column.type in ("text",) and missing and set(missing) <= {"无", "-", "/"}:
        missing = []
        column.required = len(told) == len(cells)
    column.missing = missing
    _level(column, values)
    _code_table(column, counts if not missing else Counter(values), len(cells))
    return column


def _type(column: Column, values: list[str]) -> None:
    for guess in (_code, _yes_no, _date, _number):
        if guess(column, values):
            return
    if all(re.fullmatch(r"\d{1,2}[-/]\d{1,2} \d{1,2}:\d{2}", value) for value in values[:200]):
        column.doubts.append(Saying("时间里没有年份，暂按文本；请向来源单位确认年份后改为 datetime"))


def _code(column: Column, values: list[str]) -> bool:
    table = pa.array(values, pa.string())
    for type, (code, title) in _CODES.items():
        told = re.search(title, column.heading, re.IGNORECASE) is not None
        if type in _CHANCE and not told:
            continue
        wrong = int(np.count_nonzero(CODES[code].faulty(table)))
        if wrong <= MOST_WRONG * len(values) and (told or len(values) >= _FEW):
            column.type = type
            _doubt_share(column, wrong, len(values))
            return True
    return False


def _doubt_share(column: Column, wrong: int, of: int) -> None:
    column.wrong = wrong
    if wrong:
        column.doubts.append(Saying("样本中 {of} 个值里有 {wrong} 个不合规，将进入隔离区", of=of, wrong=wrong))


def _yes_no(column: Column, values: list[str]) -> bool:
    found = {value.lower() for value in values}
    if any(found <= pair for pair in _YES_NO) and len(found) == 2:
        column.type = "boolean"
        return True
    return False


def _date(column: Column, values: list[str]) -> bool:
    for kinds in (("date",), ("date", "datetime")):
        patterns = [(re.compile(pattern), format) for pattern, kind, format in _DATES if kind in kinds]
        fits = [next((format or "" for pattern, format in patterns if pattern.fullmatch(value)), None) for value in values]
        wrong = fits.count(None)
        if wrong <= MOST_WRONG * len(values):
            column.type = kinds[-1]
            column.formats = sorted({format for format in fits if format})
            _doubt_share(column, wrong, len(values))
            if "%m/%d/%Y" in column.formats:
                column.doubts.append(Saying("日期按“月/日/年”理解；如为“日/月/年”请改 formats"))
            return True
    return False


def _number(column: Column, values: list[str]) -> bool:
    whole = sum(not _INTEGER.fullmatch(value) for value in values)
    if any(re.fullmatch(r"0\d+", value) for value in values) or any(len(value) > 15 for value in values if value.isdigit()):
        column.doubts.append(Saying("全是数字，但有前导零或超过 15 位，按编号（文本）处理"))
        return False
    money = _MONEY.search(column.heading + (column.name.unit or "")) is not None
    if whole <= MOST_WRONG * len(values) and not money:
        column.type = "integer"
        _doubt_share(column, whole, len(values))
        return True
    wrong = [value for value in values if not _NUMBER.fullmatch(value) or not any(letter.isdigit() for letter in value)]
    if len(wrong) > MOST_WRONG * len(values):
        return False
    places = max((len(value.partition(".")[2]) for value in values if value not in set(wrong)), default=0)
    column.type = "decimal" if money and places <= 4 else "number"
    column.digits = max(places, 2) if column.type == "decimal" else None
    _doubt_share(column, len(wrong), len(values))
    return True


def _level(column: Column, values: list[str]) -> None:
    if column.type in ("resident_id", "mobile"):
        column.level, column.why = "sensitive", "值是居民身份证号码" if column.type == "resident_id" else "值是手机号码"
        return
    if column.type in ("text", "date") and _PERSONAL.search(column.name.title):
        column.level, column.why = "sensitive", "标题像是个人信息"
        column.doubts.append(Saying("按标题判断可能是个人信息，定为敏感；若是单位公开信息请改为 general"))
    elif column.type == "text" and (inside := sum(_INSIDE.search(value) is not None for value in values)):
        column.level, column.why = "sensitive", "文字里夹有手机号码或身份证号码"
        column.doubts.append(Saying("样本中有 {n} 个值的文字里夹有手机号码或身份证号码，定为敏感", n=inside))


def _code_table(column: Column, counts: Counter[str], rows: int) -> None:
    """Few short texts that come again and again."""
    texts = [value for value in counts if value not in column.missing]
    few = 2 <= len(texts) <= 30 and len(texts) <= max(rows // 10, 2) and rows >= _FEW
    words = all(len(value) <= 20 and not re.search(r"\d.*\d.*\d", value) for value in texts)
    if column.type == "text" and column.level is None and few and words:
        column.codes = sorted(texts)
        column.doubts.append(Saying("取值只有 {n} 种，提议为代码表；请核对是否齐全", n=len(texts)))
