"""What a backup holds comes out of it again as it went in."""

import os
import tarfile
from pathlib import Path
from typing import Any

from haitang.server.backup.read import _extract
from haitang.server.backup.write import _add, opened


def test_a_file_of_two_names_is_restored_under_both(tmp_path: Path) -> None:
    lake, part, digests = tmp_path / "lake.parquet", tmp_path / "part.parquet", dict[str, Any]()
    lake.write_bytes(b"rows")
    os.link(lake, part)
    with (tmp_path / "all.tar").open("xb") as out, opened(out) as archive:
        _add(archive, lake, "lake/a.parquet", digests)
        _add(archive, part, "gather/parts/1.parquet", digests)
    with tarfile.open(tmp_path / "all.tar") as archive:
        _extract(archive, tmp_path / "restored")
    assert {name: (tmp_path / "restored" / name).read_bytes() for name in digests} == dict.fromkeys(digests, b"rows")
