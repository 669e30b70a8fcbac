"""The number of a case."""

from django.db import connection

from haitang.base.actions import Act
from haitang.base.declarations import in_force
from haitang.hub.business.places.kinds import Place
from haitang.support.standards.calendar import local_day

_NEXT = """insert into cases_casecounter as counter (node, year, last) values (%s, %s, 1)
            on conflict (node, year) do update set last = counter.last + 1 returning last"""


def next_number(act: Act) -> str:
    """The next number of this node and year. The counter's row stays locked until the transaction ends, so numbers have no gap."""
    node, year = in_force().one(Place).code, local_day(act.at).year
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [node, year])
        (last,) = cursor.fetchone()
    return f"{node}-{year}-{last:06d}"
