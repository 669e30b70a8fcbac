"""What the platform may ask of a station: command, what a person fills in, and the content of the packet.

Source: HJ 212-2017 tables 5 to 7 and its appendix C. Left out, because they change what the platform itself must know of a station: 1072 (new password), 1002
and 1014 of 2025 (number and key, whose exchange is not known in full).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from haitang.base.clock import CHINA
from haitang.base.errors import error
from haitang.support.infrastructure.commands import protocols
from haitang.support.infrastructure.things.models import Thing

BAD_VALUE = error("hj212.bad_value", 400, "“{field}”的值“{value}”不可用：{reason}。")

INTERVALS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)  # minutes, by the standard
LONGEST = timedelta(days=31)  # of history in one request; the standard sets no limit


@dataclass(frozen=True)
class Field(protocols.Field):
    """One value that a person fills in, and how the packet writes it. `kind`: integer within `range`, choice of `range`, time, or code (of a factor)."""

    kind: str = "integer"

    def read(self, given: Any) -> str:
        """The value as the packet writes it; raises BAD_VALUE."""
        text = str(given).strip()
        if not text and self.optional:
            return ""
        return {"integer": self._integer, "choice": self._choice, "time": self._time, "code": self._factor}[self.kind](text)

    def _integer(self, text: str) -> str:
        low, high = self.range
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise self._bad(text, f"应为 {low} 到 {high} 的整数")
        return str(int(text))

    def _choice(self, text: str) -> str:
        if text not in map(str, self.range):
            raise self._bad(text, f"应为 {'、'.join(map(str, self.range))} 之一")
        return text

    def _time(self, text: str) -> str:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise self._bad(text, "应为日期和时间，例如 2026-01-31T08:00") from None
        return f"{at.astimezone(CHINA) if at.tzinfo else at:%Y%m%d%H%M%S}"

    def _factor(self, text: str) -> str:
        if not (text.isascii() and text.isalnum() and len(text) <= 8):
            raise self._bad(text, "应为因子编码，例如 a34004")
        return text

    def _bad(self, text: str, reason: str) -> Exception:
        return BAD_VALUE(field=self.title, value=text, reason=reason)


BEGIN, END = Field("BeginTime", "开始时间", "time"), Field("EndTime", "结束时间", "time")
FACTOR = Field("PolId", "因子编码", "code", longest=8)
ANY_FACTOR = Field("PolId", "因子编码（空为全部）", "code", optional=True, longest=8)


@dataclass(frozen=True)
class Command:
    """One command. `works`: it makes the station do something to its instruments."""

    cn: str
    title: str
    fields: tuple[Field, ...] = ()
    works: bool = False

    @property
    def name(self) -> str:
        return self.cn

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What was filled in, as the packet writes it, in the standard's order; raises BAD_VALUE."""
        if unknown := [name for name in given if name not in {field.name for field in self.fields}]:
            raise BAD_VALUE(field=unknown[0], value=given[unknown[0]], reason=f"命令 {self.cn} 没有这一项")
        read = {field.name: field.read(given.get(field.name, "")) for field in self.fields}
        if "BeginTime" in read:
            _period(read["BeginTime"], read["EndTime"])
        return {name: value for name, value in read.items() if value}

    def content(self, values: Mapping[str, Any], now: datetime) -> str:
        """The content of CP. The time to set is that of sending."""
        filled = {field.name: values[field.name] for field in self.fields if field.name in values}
        if self.cn == "1012":
            filled["SystemTime"] = f"{now.astimezone(CHINA):%Y%m%d%H%M%S}"
        separator = "," if self.cn == "2041" else ";"  # as the examples of appendix C have it
        return separator.join(f"{name}={value}" for name, value in filled.items())


def _period(begin: str, end: str) -> None:
    first, last = (datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=CHINA) for text in (begin, end))
    if not timedelta(0) <= last - first <= LONGEST:
        raise BAD_VALUE(field="结束时间", value=end, reason=f"不应早于开始时间，相隔不超过 {LONGEST.days} 天")


COMMANDS: dict[str, Command] = {
    command.cn: command
    for command in (
        Command("1012", "设置现场机时间", (ANY_FACTOR,)),
        Command("1011", "提取现场机时间", (ANY_FACTOR,)),
        Command("2061", "取小时历史数据", (BEGIN, END)),
        Command("2051", "取分钟历史数据", (BEGIN, END)),
        Command("2031", "取日历史数据", (BEGIN, END)),
        Command("2041", "取设备运行时间日历史数据", (BEGIN, END)),
        Command("1061", "提取实时数据间隔"),
        Command("1062", "设置实时数据间隔", (Field("RtdInterval", "间隔（秒）", range=(30, 3600)),)),
        Command("1063", "提取分钟数据间隔"),
        Command("1064", "设置分钟数据间隔", (Field("MinInterval", "间隔（分钟）", "choice", INTERVALS),)),
        Command(
            "1000", "设置超时时间和重发次数", (Field("OverTime", "超时（秒）", range=(1, 99)), Field("ReCount", "重发次数", range=(1, 99)))
        ),
        Command("3019", "提取设备唯一标识", (FACTOR,)),
        Command("3011", "零点校准量程校准", (FACTOR,), works=True),
        Command("3012", "即时采样", (FACTOR,), works=True),
        Command("3013", "启动清洗/反吹", (FACTOR,), works=True),
        Command("3014", "比对采样", (FACTOR,), works=True),
    )
}


class Hj212:
    """The protocol, as it plugs into the commands of things."""

    id, title, once = "hj212", "HJ 212", True

    def offers(self, thing: Thing) -> Sequence[Command]:
        """A station may be asked all of them."""
        return list(COMMANDS.values()) if thing.mn else []
