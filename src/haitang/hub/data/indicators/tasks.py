"""Periodic jobs of indicators."""

from procrastinate.contrib.django import app

from haitang.hub.data.indicators.refresh import refresh


@app.periodic(cron="* * * * *")
@app.task(name="indicators.refresh", queueing_lock="indicators.refresh", pass_context=False)
def refresh_indicators(timestamp: int) -> None:
    """Each minute; a row is written only where something changed."""
    refresh()
