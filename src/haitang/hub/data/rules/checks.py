"""What `haitang check` says about rules, and how their spec tables are run."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from haitang.base.clock import CHINA
from haitang.base.declarations.checks import Context, Problem, check
from haitang.base.declarations.spec import Failure, Row, SpecTable, spec
from haitang.hub.data.rules.buffer import Entry
from haitang.hub.data.rules.condition import ConditionError, parse
from haitang.hub.data.rules.definition import define, silence_after
from haitang.hub.data.rules.kinds import Rule
from haitang.hub.data.rules.machine import State, Transition, step
from haitang.hub.data.rules.silence import Silence, heard, tick
from haitang.hub.data.rules.watch import parse_watch
from haitang.support.infrastructure.stream.messages import is_valid
from haitang.support.infrastructure.things.kinds import Device

_EPOCH = datetime(1970, 1, 1, 8, tzinfo=CHINA)
_MINUTE = 60_000_000


@check(Rule)
def watches_what_is_observed(rule: Rule, context: Context) -> Iterable[Problem]:
    """`watches` names a device type, a property that it observes and a statistic that it sends."""
    try:
        watch = parse_watch(rule.watches)
    except ValueError as reason:
        yield Problem("watches", f"读不懂“{rule.watches}”：{reason}", "写成“air_station.pm2_5, hour mean”")
        return
    device = context.get(Device, watch.device)
    if device is None:
        yield Problem("watches", f"没有设备类型“{watch.device}”", f"已声明的有：{'、'.join(context.all(Device)) or '无'}")
    elif watch.observed is not None and watch.observed not in device.observes:
        yield Problem("watches", f"设备类型“{watch.device}”不监测“{watch.observed}”", f"它监测：{'、'.join(device.observes)}")
    elif watch.observed is not None and watch.statistic not in device.observes[watch.observed].statistics:
        sent = "、".join(device.observes[watch.observed].statistics)
        yield Problem("watches", f"“{watch.device}.{watch.observed}”没有统计量“{watch.statistic}”", f"它有：{sent}")


@check(Rule)
def condition_parses(rule: Rule, context: Context) -> Iterable[Problem]:
    """`when` and `until` follow the condition language."""
    for key, text in (("when", rule.when), ("until", rule.until)):
        if text is None:
            continue
        try:
            condition = parse(text)
        except ConditionError as reason:
            yield Problem(key, f"读不懂条件“{text}”：{reason}", "例如：value > 115、change(1h) >= 30、mean(6h) > 75、silent")
            continue
        if condition.silent and "." in rule.watches:
            yield Problem(key, "失联（silent）是整台设备的，不是某个监测项的", "watches 只写设备类型，例如 air_station")
        if not condition.silent and "." not in rule.watches:
            yield Problem(key, f"“{rule.watches}”没有写监测项，条件里的数值无从取得", "写成“air_station.pm2_5, hour mean”")
        if condition.silent and text.strip() != "silent":
            yield Problem(key, "失联条件只能写作 silent", "需要更长时间请用 for")


@spec("rule")
def run_table(rule: Rule, table: SpecTable) -> list[Failure]:
    """Feed `given` (column `hour`, `day` or `at`; one column a property; `flag`) and compare the alarms with `expect` (`at`, `alarm`).

    Times are China time on `day` (default 2026-03-02) or whole dates. A row of an hour or day covers it; alarms are told at its end.
    For silence only `at` counts; the table ends at option `until`.
    """
    day = date.fromisoformat(str(table.options.get("day", "2026-03-02")))

    def instant(text: str) -> int:
        written = datetime.fromisoformat(text if "-" in text else f"{day}T{text}").replace(tzinfo=CHINA)
        return (written - _EPOCH) // timedelta(microseconds=1)

    device = table.declarations.get(Device, parse_watch(rule.watches).device)
    try:
        told = _silence(rule, device, table, instant) if parse(rule.when).silent else _values(rule, device, table, instant)
        expected = [(instant(row["at"] or ""), row["alarm"] or "") for row in table.expect]
    except (KeyError, ValueError) as reason:
        return [Failure(f"表格不完整或读不懂：{reason}")]
    return _compare([(t.episode.cleared or 0, "clears") if t.kind == "cleared" else (t.episode.opened, "opens") for t in told], expected)


def _values(rule: Rule, device: Device, table: SpecTable, instant: Callable[[str], int]) -> list[Transition]:
    watch, definition, state, told = parse_watch(rule.watches), define(rule, device), State(), list[Transition]()
    assert watch.observed is not None
    for row in table.given:
        start = instant(_time(row))
        cell, quality = row[watch.observed], f"flag:{row['flag']}" if row.get("flag") else "normal"
        value = float(cell) if cell is not None and is_valid(quality) else None
        told += step(definition, state, Entry(start, start + watch.period, value, start + watch.period, "simulated"))
    return told


def _silence(rule: Rule, device: Device, table: SpecTable, instant: Callable[[str], int]) -> list[Transition]:
    state, after, told = Silence(), silence_after(rule, device), list[Transition]()
    seen = [instant(_time(row)) for row in table.given]
    end = instant(str(table.options["until"]))
    for minute in range(min(seen), end + 1, _MINUTE):
        told += [t for at in seen if minute - _MINUTE < at <= minute for t in heard(state, at, "simulated")]
        told += tick(state, minute, after)
    return told


def _time(row: Row) -> str:
    for column in ("hour", "day", "at"):
        if row.get(column):
            return row[column] or ""
    raise ValueError("需要 hour、day 或 at 列")


def _compare(told: list[tuple[int, str]], expected: list[tuple[int, str]]) -> list[Failure]:
    def clock(at: int) -> str:
        return (_EPOCH + timedelta(microseconds=at)).strftime("%m-%d %H:%M")

    words = {"opens": "报警", "clears": "解除"}
    failures = [
        Failure(f"应在 {clock(at)} {words.get(what, what)}，没有发生", row)
        for row, (at, what) in enumerate(expected)
        if (at, what) not in told
    ]
    return failures + [Failure(f"{clock(at)} {words[what]}，表中没有") for at, what in told if (at, what) not in expected]
