"""Brings all indicators up to date."""

import structlog

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.hub.data.indicators.actions import changed, record_values
from haitang.hub.data.indicators.compute import compute
from haitang.hub.data.indicators.kinds import Indicator

log = structlog.get_logger()
ACTOR = system("indicators")


def refresh() -> dict[str, str]:
    """Compute every indicator in force and keep what changed. Gives the reason of each that could not be computed; it holds up no other."""
    failed: dict[str, str] = {}
    for indicator in in_force().all(Indicator).values():
        try:
            with acting(ACTOR) as act:
                values = changed(indicator, compute(indicator, clock.now()), act)
                if values:
                    record_values(act=act, indicator=indicator, values=values)
        except HaitangError as reason:
            failed[indicator.id] = str(reason)
        except Exception as reason:
            log.exception("indicators.failed", indicator=indicator.id)
            failed[indicator.id] = f"{type(reason).__name__}: {reason}"
    if failed:
        log.warning("indicators.not_computed", indicators=failed)
    return failed
