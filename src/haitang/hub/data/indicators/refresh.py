"""Brings all indicators up to date."""

import structlog

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.hub.data.derive.queries import NOT_DERIVED
from haitang.hub.data.indicators.actions import changed, record_values
from haitang.hub.data.indicators.compute import compute
from haitang.hub.data.indicators.kinds import Indicator

log = structlog.get_logger()
ACTOR = system("indicators")


def refresh() -> dict[str, str]:
    """Compute every indicator in force and keep what changed. Gives the reason of each that could not be computed; it holds up no other."""
    failed: dict[str, str] = {}
    early: list[str] = []
    for indicator in in_force().all(Indicator).values():
        try:
            with acting(ACTOR) as act:
                values = changed(indicator, compute(indicator, clock.now()), act)
                if values:
                    record_values(act=act, indicator=indicator, values=values)
        except HaitangError as reason:
            failed[indicator.id] = str(reason)
            early += [indicator.id] if reason.kind is NOT_DERIVED else []
        except Exception as reason:
            log.exception("indicators.failed", indicator=indicator.id)
            failed[indicator.id] = f"{type(reason).__name__}: {reason}"
    if wrong := {id: reason for id, reason in failed.items() if id not in early}:
        log.warning("indicators.not_computed", indicators=wrong)
    if early:  # as on a platform that has no data yet: nothing is wrong
        log.info("indicators.nothing_derived_yet", indicators=early)
    return failed
