"""A backup while the load goes on, restored into a new directory: how long each step takes, equal counts, a ledger that verifies, and nothing missing that was acknowledged before it began.

python -m bench.drill DATA FILE < what was acknowledged (JSON)
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from bench import client
from bench.figures import Figure
from bench.worker import Acknowledged

_STEPS = {
    "drain": "what the stream holds in the lake",
    "backup": "backup",
    "restore": "restored into a new directory, rows equal",
    "lake": "restored lake read whole",
    "ledger": "restored ledger exported and verified",
}


def drilled(instance: Any, known: Acknowledged, file: Path) -> list[Figure]:
    """Back the running instance up and rehearse the restore in a process of its own, as the command does."""
    told = client.told("bench.drill", instance.data, file, given=known.told())
    drill = told["drill"]
    return [
        *(Figure(f"drill under load: {_STEPS[step['name']]}", step["seconds"], "s") for step in drill["steps"]),
        Figure("drill under load: all of it", drill["seconds"], "s"),
        Figure("drill under load: rows restored, as many as the backup says", drill["rows"] + sum(drill["lake"].values()), "rows"),
        Figure("drill under load: restored ledger that does not verify", int(not drill["held"]), "ledgers", goal=0, more=False),
        Figure("drill under load: acknowledged before it and not restored, once", told["wrong"], "things", goal=0, more=False),
        Figure("drill under load: observations acknowledged before it", told["observations"], "observations"),
    ]


def main(data: Path, file: Path) -> None:
    from bench.books import there
    from haitang.base.settings import settings, use
    from haitang.server.backup.drill import Drill, rehearse
    from haitang.server.backup.write import drain, write
    from haitang.server.instance import settings_of

    known, drill, found = Acknowledged.of(sys.stdin.read()), Drill(), list[Figure]()
    use(settings_of({"data": data}, must_run=True))
    with drill.step("drain"):
        asyncio.run(drain())
    with drill.step("backup") as step:
        write(settings(), file)
        step.bytes = file.stat().st_size
    rehearse(drill, file, lambda: found.extend(there(known)))
    missed = [figure for figure in found if not figure.held]
    for figure in missed:
        print(f"restored: {figure.as_line()}", file=sys.stderr)
    told = {"drill": drill.as_json(), "wrong": sum(figure.value for figure in missed), "observations": sum(known.messages.values())}
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
