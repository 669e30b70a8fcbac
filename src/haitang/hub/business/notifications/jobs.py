"""Jobs that carry deliveries to the worker. They are rows of the running transaction: no commit, no job."""

from collections.abc import Sequence
from datetime import datetime

from procrastinate.contrib.django import app

from haitang.hub.business.notifications.channels import TO_A_GROUP
from haitang.hub.business.notifications.models import Delivery

DELIVER = "notifications.deliver"
QUEUE = "notifications"


def lead(delivery: Delivery, among: Sequence[Delivery]) -> bool:
    """Whether this delivery's job stands for its batch: the first of a group channel, each one elsewhere."""
    if delivery.channel not in TO_A_GROUP:
        return True
    return next(d for d in among if d.channel == delivery.channel) is delivery


def put_off(delivery: Delivery, until: datetime | None = None) -> None:
    """Have the worker try this delivery, at `until` or as soon as the transaction commits."""
    more = {"schedule_at": until} if until else {}
    app.configure_task(DELIVER, queue=QUEUE, **more).defer(delivery=delivery.pk)
