"""From a declared rule to what the machine runs."""

from datetime import timedelta
from functools import lru_cache

from haitang.base.durations import parse_span
from haitang.hub.data.rules.condition import Condition, microseconds, parse
from haitang.hub.data.rules.kinds import Rule
from haitang.hub.data.rules.machine import Definition
from haitang.hub.data.rules.watch import parse_watch
from haitang.support.infrastructure.things.kinds import Device

LATE = microseconds(timedelta(minutes=10))  # how late an instant may come and still be judged, for rules that look back less


@lru_cache(maxsize=4096)
def _define(when: str, until: str | None, hold: str | None, gap: str | None, period: int, silent_after: str) -> Definition:
    opening = parse(when)
    closing = parse(until) if until else contrary(opening)
    held = microseconds(parse_span(hold)) if hold else 0
    hole = microseconds(parse_span(gap)) if gap else period or microseconds(parse_span(silent_after))
    lookback = max(opening.lookback, closing.lookback)
    return Definition(opening, closing, held, hole, horizon=max(lookback, held + hole if held else 0, 3 * period, LATE), mirrored=not until)


def contrary(condition: Condition) -> Condition:
    """True where `condition` is false; nothing where it says nothing."""
    evaluate = condition.evaluate
    return Condition(
        f"not ({condition.text})", lambda s: None if (truth := evaluate(s)) is None else not truth, condition.lookback, condition.silent
    )


def define(rule: Rule, device: Device) -> Definition:
    """Compile a rule for the device type that it watches. `gap` is by default one period, for instants the device's `silent_after`."""
    return _define(rule.when, rule.until, rule.for_, rule.gap, parse_watch(rule.watches).period, device.silent_after)


def silence_after(rule: Rule, device: Device) -> int:
    """Microseconds of silence after which a rule `when: silent` opens its alarm."""
    return microseconds(parse_span(device.silent_after)) + (microseconds(parse_span(rule.for_)) if rule.for_ else 0)


def fingerprint(rule: Rule) -> str:
    """What a kept state depends on. A state made under other words is not continued: it would answer another question."""
    return "|".join(str(part) for part in (rule.watches, rule.when, rule.until, rule.for_, rule.gap))
