"""What an evidence file about a case holds besides its own records: its alarm, its notices, and the observations around the alarm with their proofs."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from haitang.base.errors import error
from haitang.hub.business.cases.models import Case
from haitang.hub.business.notifications.models import Notice
from haitang.hub.data.lake import queries as lake
from haitang.hub.data.lake.canonical import canonical, observation_of
from haitang.hub.data.rules.models import Alarm
from haitang.support.security.evidence.export import Row
from haitang.support.security.evidence.merkle import Tree, leaf_hash

NO_CASE = error("server.no_case", 404, "没有编号为 {id} 的案件。")

BEFORE, AFTER = timedelta(hours=3), timedelta(hours=1)
MOST_ROWS = 500


def case_of(id: str) -> Case:
    """A case by its number or its id; raises NO_CASE."""
    found = Case.objects.filter(number=id).first()
    if found is None:
        try:
            found = Case.objects.filter(pk=UUID(id)).first()
        except ValueError:
            found = None
    if found is None:
        raise NO_CASE(id=id)
    return found


def subjects_of(case: Case) -> tuple[str, ...]:
    """The subjects under which the ledger speaks of this case."""
    batches = Notice.objects.filter(subject=f"case:{case.pk}").values_list("batch", flat=True).distinct()
    alarm = [f"alarm:{case.alarm}"] if case.alarm else []
    return (f"case:{case.pk}", *alarm, *(f"notice:{batch}" for batch in batches))


def rows_of(case: Case) -> list[Row]:
    """The observations of the alarm's property from three hours before it until an hour after it cleared, each with its proof; none without an alarm."""
    alarm = Alarm.objects.filter(pk=case.alarm).first() if case.alarm else None
    if alarm is None or not alarm.property:
        return []
    end = (alarm.cleared_at or alarm.opened_at) + AFTER
    found = lake.observations_page(thing=alarm.thing, property=alarm.property, start=alarm.opened_at - BEFORE, end=end, limit=MOST_ROWS)
    wanted: dict[int, list[int]] = defaultdict(list)
    for row in found:
        wanted[row["block"]].append(row["block_index"])
    return [row for block in sorted(wanted) for row in _proved(block, sorted(wanted[block]))]


def _proved(block: int, indexes: Iterable[int]) -> list[Row]:
    """Rows of one block with their proofs, from the stored rows of the whole block."""
    stored = lake.dicts("select * from lake.observations where block = ? order by block_index", [block])
    texts = [canonical(observation_of(row)) for row in stored]
    (found,) = lake.dicts("select coalesce(arity, 2) as arity from lake.blocks where id = ?", [block])
    tree = Tree([leaf_hash(text) for text in texts], arity=found["arity"])
    return [Row(str(block), at, texts[at].decode(), [step.hex() for step in tree.inclusion_proof(at)]) for at in indexes]
