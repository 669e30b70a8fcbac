"""Words and figures as people read them, in the reader's language."""

from datetime import datetime, timedelta
from typing import Any

from haitang.base import clock
from haitang.base.durations import parse_span
from haitang.base.text import T, active_language, translate

STATES = {
    "normal": T("正常"),
    "notice": T("提示"),
    "warning": T("警告"),
    "serious": T("严重"),
    "critical": T("特别严重"),
    "stale": T("数据过期"),
    "nodata": T("无数据"),
}
ORIGINS = {"replay": T("回放数据"), "simulated": T("模拟数据")}
ORIGIN_HINTS = {
    "replay": T("由历史数据按原有节奏回放产生，不代表当前实际情况"),
    "simulated": T("由程序模拟产生，不代表实际情况"),
}
UNITS = {"ug/m3": "µg/m³", "mg/m3": "mg/m³", "Cel": "℃"}


PROCESSES = {
    "rules": T("规则引擎"),
    "gather": T("数据采集"),
    "deadlines": T("期限管理"),
    "sealer": T("证据封存"),
    "keys": T("密钥管理"),
    "sign-in": T("登录服务"),
    "setup": T("安装程序"),
    "operator": T("运维命令"),
    "writer": T("数据写入"),
    "worker": T("后台任务"),
    "indicators": T("指标计算"),
    "demo": T("演示程序"),
    "hj212": T("站点数据接收"),
    "listeners": T("设备数据接收"),
    "commands": T("指令下发"),
    "downstream": T("下级节点"),
    "notifications": T("通知投递"),
}


def phrase(text: str) -> str:
    """A text that was put together with `：` (a device and what happened to it), each part in the reader's language."""
    whole = translate(text)
    if whole != text or not active_language().startswith("en"):
        return whole
    return ": ".join(translate(part) for part in text.split("："))


def who(name: str) -> str:
    """A person's name as it is (a made-up one may have a form in the reader's language); a process of the platform by its title."""
    return translate(PROCESSES.get(name, name))


def figure(value: Any, digits: int = 1) -> str:
    """`figure(1234.56, 1)` -> `1,234.6`; None -> `—`; whole numbers without needless zeros only when digits is 0."""
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return translate("是") if value else translate("否")
    try:
        return f"{float(value):,.{digits}f}"
    except (TypeError, ValueError):
        return str(value)


def unit(written: str) -> str:
    """A unit as people print it."""
    return UNITS.get(written, written)


def span(value: timedelta) -> str:
    """The two largest units: `3 天 2 小时`, `2 小时 5 分钟`, `5 分钟`."""
    minutes = max(0, int(value.total_seconds() // 60))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return translate("{d} 天 {h} 小时", d=days, h=hours) if hours else translate("{d} 天", d=days)
    if hours:
        return translate("{h} 小时 {m} 分钟", h=hours, m=rest) if rest else translate("{h} 小时", h=hours)
    return translate("{m} 分钟", m=rest)


def written_span(text: str) -> str:
    """A duration as a declaration has it (`90min`), in words; what is none stays as it stands."""
    try:
        return span(parse_span(text))
    except ValueError:
        return text


def ago(at: datetime) -> str:
    """`3 分钟前` for the last day, else the local date and time."""
    passed = clock.now() - at
    local = at.astimezone(clock.CHINA)
    if passed < timedelta(0) or passed >= timedelta(days=1):
        this_year = local.year == clock.now().astimezone(clock.CHINA).year
        return local.strftime("%m-%d %H:%M" if this_year else "%Y-%m-%d %H:%M")
    if passed < timedelta(minutes=1):
        return translate("刚刚")
    if passed < timedelta(hours=1):
        return translate("{n} 分钟前", n=int(passed.total_seconds() // 60))
    return translate("{n} 小时前", n=int(passed.total_seconds() // 3600))
