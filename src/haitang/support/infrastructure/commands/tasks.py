"""Periodic jobs of commands."""

from procrastinate.contrib.django import app

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.support.infrastructure.commands import queries
from haitang.support.infrastructure.commands.actions import note
from haitang.support.infrastructure.commands.models import DeviceCommand


@app.periodic(cron="* * * * *")
@app.task(name="commands.expire", queueing_lock="commands.expire", lock="commands.expire")
def expire(timestamp: int) -> None:
    """Each minute: what nobody took in its time is over."""
    for late in queries.overdue(clock.now())[:1000]:
        with acting(system("commands")) as act:
            note(act=act, command=late, state=DeviceCommand.EXPIRED)
