"""Periodic jobs of policy."""

from procrastinate.contrib.django import app

from haitang.support.security.policy.refusals import forget_old


@app.periodic(cron="17 3 * * *")
@app.task(name="policy.forget_refusals", queueing_lock="policy.forget_refusals", lock="policy.forget_refusals")
def forget_refusals(timestamp: int) -> None:
    """Each night: explanations of refusals that nobody asks about any more; their evidence stays."""
    forget_old()
