"""The number of a case."""

from haitang.base.actions import Act
from haitang.base.declarations import in_force
from haitang.hub.business.cases.models import CaseCounter
from haitang.hub.business.places.kinds import Place
from haitang.support.standards.calendar import local_day


def next_number(act: Act) -> str:
    """The next number of this node and year. The counter's row stays locked until the transaction ends, so numbers have no gap."""
    node, year = in_force().one(Place).code, local_day(act.at).year
    CaseCounter.objects.get_or_create(node=node, year=year)
    counter = CaseCounter.objects.select_for_update().get(node=node, year=year)
    counter.last += 1
    counter.save(update_fields=["last"])
    return f"{node}-{year}-{counter.last:06d}"
