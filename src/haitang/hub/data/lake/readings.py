"""Statistics as declarations write them (`instant`, `hour mean`), and the reading in force of a period.

On the wire a statistic (`mean`) and a period say together what declarations call `hour mean`. Readings of different length are never mixed, so the lake
keeps the length as a word beside them: the column `span`.
"""

from haitang.hub.data.lake.buckets import WIDTH
from haitang.support.infrastructure.stream.messages import Observation

VALID = "quality in ('normal', 'suspect', 'flag:N', 'flag:S')"  # messages.is_valid in SQL; a test holds them equal

_EXACT = {WIDTH["hour"]: "hour", WIDTH["day"]: "day"}


def span(period: int) -> str:
    """The word for a period of so many microseconds: instant, minute (anything below an hour), hour, day, else its length in seconds."""
    if period == 0:
        return "instant"
    if period < WIDTH["hour"]:
        return "minute"
    return _EXACT.get(period) or f"{period // 1_000_000}s"


def declared(statistic: str, span: str) -> str:
    """`mean` over `hour` -> `hour mean`; an instant is `instant`."""
    return "instant" if span == "instant" else f"{span} {statistic}"


def declared_of(observation: Observation) -> str:
    return declared(observation.statistic, span(observation.period_end - observation.period_start))


DECLARED = "case when span = 'instant' then 'instant' else span || ' ' || statistic end"


def wire(statistic: str) -> tuple[str, str]:
    """`hour mean` -> (`mean`, `hour`): the columns `statistic` and `span`."""
    length, _, name = statistic.rpartition(" ")
    return (name, length) if length else ("instant", "instant")


PERIOD = "thing, property, statistic, span, period_start, period_end"
VALUE = f"case when {VALID} then number end"


def in_force(source: str, columns: str = "*") -> str:
    """SQL of the reading in force of each period in `source`: a station that sends a period again (补传) corrects it, the latest received counts."""
    return (
        f"select {columns} from {source} qualify row_number() over (partition by {PERIOD} "
        "order by received_at desc, block desc, block_index desc) = 1"
    )
