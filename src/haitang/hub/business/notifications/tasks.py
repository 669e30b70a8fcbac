"""Background work of notifications."""

from procrastinate.contrib.django import app

from haitang.hub.business.notifications.delivery import attempt, pick_up
from haitang.hub.business.notifications.jobs import DELIVER, QUEUE


@app.task(name=DELIVER, queue=QUEUE)
def deliver(delivery: int) -> None:
    """Try one delivery; retries are jobs of their own, made in the transaction that notes the failure."""
    attempt(delivery)


@app.periodic(cron="*/5 * * * *")
@app.task(name="notifications.pick_up", queueing_lock="notifications.pick_up")
def pick_up_lost(timestamp: int) -> None:
    """Every five minutes: deliveries whose worker died."""
    pick_up()
