"""Periodic jobs of runs."""

from procrastinate.contrib.django import app

from haitang.hub.business.procedures.deadlines import attend_due, refresh_stale


@app.periodic(cron="* * * * *")
@app.task(name="procedures.attend", queueing_lock="procedures.attend", lock="procedures.attend")
def attend_runs(timestamp: int) -> None:
    """Each minute: what changed is projected first, so that reminders follow the deadlines of today."""
    refresh_stale()
    attend_due()
