"""What a backup takes along of the files that are being gathered: those that a run which has not ended reads, as a snapshot of the database has it."""

import os
import shutil
from pathlib import Path
from typing import Any

from haitang.hub.data.gather.states import ENDED

_OPEN = f"""
    select r.id::text, r.path, r.state in ('queued', 'running'),
           (select coalesce(array_agg(p.number), '{{}}') from gather_part p where p.run_id = r.id and p.kind = 'rows' and p.rows > 0 and not p.landed)
    from gather_run r
    where r.state not in {ENDED} or exists (select from gather_part p where p.run_id = r.id and not p.landed)"""


def hold(connection: Any, top: Path, folder: Path) -> bool:
    """Keep a second name of each such file below `folder`, so that it stays though its run ends meanwhile. `top` is the folder of gathering (DATA/gather).

    False where a file that the snapshot asks for is gone already: then a later snapshot is to be taken. `connection` is a psycopg connection at the snapshot.
    """
    if connection.execute("select to_regclass('gather_part')").fetchone()[0] is None:
        return True
    there = True
    for run, path, reads, numbers in connection.execute(_OPEN).fetchall():
        wanted = [f"parts/{run}/{number:06}.parquet" for number in numbers]
        if path and reads:
            wanted.append(f"incoming/{Path(path).name}")
        for file in (top / "parts" / run).glob("*"):
            _keep(file, folder / file.relative_to(top))
        for name in wanted:
            there &= (folder / name).is_file() or _keep(top / name, folder / name)
    return there


def _keep(file: Path, to: Path) -> bool:
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, to)
    except FileNotFoundError:
        return False
    except OSError:  # a file system without second names
        shutil.copyfile(file, to)
    return True
