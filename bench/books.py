"""The books of the load against those of the platform: what was acknowledged is there, once."""

import subprocess
import sys
from collections import Counter
from typing import Any

from bench.figures import Figure
from bench.instance import judged, taken, until
from bench.load_endurance import ROWS
from bench.worker import Acknowledged


def compared(instance: Any, known: Acknowledged) -> list[Figure]:
    """The books of the load against those of the platform; first what is under way there comes to its end."""
    from django.db import connections

    from haitang.hub.data.lake.connection import forget

    connections.close_all()  # a fault may have cut them, and the lake's
    forget()
    until("stored", lambda: taken("writer"), seconds=120)  # what a writer that was killed had not acknowledged comes again after a minute
    until("judged", judged, seconds=120)
    until("every run at its end", _gathered, seconds=120)
    return [
        *there(known),
        Figure("deadlines told twice", _told_twice(), "deadlines", goal=0, more=False),
        Figure("evidence ledger that does not verify", _not_verified(instance), "ledgers", goal=0, more=False),
    ]


def there(known: Acknowledged) -> list[Figure]:
    """What was acknowledged against what the instance (or what was restored) has now."""
    return [*_observations(known), *_rows(known), *_cases(known)]


def _none(name: str, found: int, unit: str) -> Figure:
    return Figure(name, found, unit, goal=0, more=False)


def _observations(known: Acknowledged) -> list[Figure]:
    from haitang.hub.data.lake import queries

    rows = queries.query("select source_ref, count(*) as n from observations group by source_ref")
    found = {row["source_ref"]: row["n"] for row in rows}
    for id, count in known.messages.items():
        if found.get(id, 0) < count:
            print(f"lost: {id}, answered at {known.at[id]}", file=sys.stderr, flush=True)
    twice = queries.query(
        "select coalesce(sum(n - 1), 0) as n from (select count(*) as n from observations group by node, thing, property, statistic, period_start, "
        "period_end, source_ref having count(*) > 1)"
    )[0]["n"]
    return [
        Figure("observations acknowledged", sum(known.messages.values()), "observations"),
        Figure("messages sent again though answered", known.twice, "messages"),
        Figure("messages later than what followed them", known.late, "messages"),
        _none("observations lost", sum(max(0, count - found.get(id, 0)) for id, count in known.messages.items()), "observations"),
        _none(
            "observations doubled",
            sum(max(0, found.get(id, 0) - count) for id, count in known.messages.items()) + int(twice),
            "observations",
        ),
    ]


def _gathered() -> bool:
    from haitang.hub.data.gather.models import Run
    from haitang.hub.data.gather.states import ENDED

    return not Run.objects.exclude(state__in=ENDED).exists()


def _rows(known: Acknowledged) -> list[Figure]:
    """Rows of the gathered files: those that keep every rule are in the lake, once; those that break one are held, once."""
    from haitang.hub.data.gather.models import Held
    from haitang.hub.data.lake import queries

    lake = queries.dicts(
        f"select cast(substr(no, 2) as bigint) // {ROWS} * {ROWS} as first, count(*) as n, count(distinct no) as different "
        "from lake.resource_bench_firm group by 1"
    ) if known.files else []  # fmt: skip
    found = {row["first"]: (row["n"], row["different"]) for row in lake}
    held = Counter(str(run) for run in Held.objects.values_list("run", flat=True))
    there = [(ROWS - file.bad, *found.get(file.first, (0, 0))) for file in known.files]
    miscounted = [
        file for file in known.files
        if (file.told["read"], file.told["accepted"], file.told["quarantined"]) != (ROWS, ROWS - file.bad, file.bad) or held[file.told["run"]] != file.bad
    ]  # fmt: skip
    return [
        Figure("files gathered", len(known.files), "files"),
        _none("rows of files lost", sum(max(0, wanted - different) for wanted, _, different in there), "rows"),
        _none("rows of files doubled", sum(count - different for count, different in found.values()), "rows"),
        _none("files whose read, accepted or quarantined is not exact", len(miscounted), "files"),
    ]


def _cases(known: Acknowledged) -> list[Figure]:
    from haitang.hub.business.cases.models import Case
    from haitang.hub.business.procedures.models import RunEvent
    from haitang.support.security.evidence.models import EvidenceRecord

    opened = Counter(EvidenceRecord.objects.filter(action="case.open").values_list("subject_id", flat=True))
    remarks = Counter(event.data.get("text") for event in RunEvent.objects.filter(kind="remarked"))
    ids = [str(id) for id in Case.objects.filter(number__in=list(known.cases.values())).values_list("id", flat=True)]
    return [
        Figure("cases acknowledged", len(known.cases), "cases"),
        _none("cases lost or doubled", _cases_wrong(known), "cases"),
        _none("cases without their one evidence record", sum(opened[id] != 1 for id in ids), "cases"),
        Figure("remarks acknowledged", len(known.remarks), "remarks"),
        _none("remarks lost", sum(remarks[text] == 0 for text in known.remarks), "remarks"),
        _none("remarks doubled", sum(remarks[text] > 1 for text in [*known.remarks, *known.unsure]), "remarks"),
    ]


def _cases_wrong(known: Acknowledged) -> int:
    """Submissions that have no case, another one than was told, or several."""
    from haitang.hub.business.cases.models import Case

    there: dict[str, list[str]] = {}
    for key, number in Case.objects.filter(matter_key__startswith="hand:").values_list("matter_key", "number"):
        there.setdefault(key.rpartition(":")[2], []).append(number)
    return sum(there.get(once) != [number] for once, number in known.cases.items())


def _told_twice() -> int:
    """Reminders and overdue notes of a run that were made more than once."""
    from haitang.support.security.evidence.models import EvidenceRecord

    facts = EvidenceRecord.objects.filter(action="procedure.attend").values_list("facts", flat=True)
    told = Counter((each["run"], key) for each in facts for key in each["told"])
    return sum(times - 1 for times in told.values())


def _not_verified(instance: Any) -> int:
    """Whether the exported ledger fails its offline check; waits for the sealer first."""
    file = instance.data.parent / "ledger.jsonl"
    export = instance.command("evidence", "export", str(file))
    verify = [sys.executable, "-m", "haitang.server.cli", "evidence", "verify", str(file)]
    for command in (export, verify):
        ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if ran.returncode:
            print(f"{' '.join(command[3:5])}: {ran.stdout[-3000:]}{ran.stderr[-3000:]}", file=sys.stderr, flush=True)
            return 1
    return 0
