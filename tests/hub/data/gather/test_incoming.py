"""A file that is to be gathered is kept as it is, under its digest; one that nobody needs after all leaves nothing."""

import hashlib
import os
from io import BytesIO
from pathlib import Path
from threading import Event, Thread

import pytest

from haitang.hub.data.gather import incoming

BYTES = b"0123456789abcde\n" * (1 << 17)  # 2 MiB


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "folder", lambda: tmp_path / "incoming")
    monkeypatch.setattr(incoming, "_PIECE", 300_000)


def test_a_copy_is_what_was_read_and_lies_under_its_digest(tmp_path: Path) -> None:
    file, pipe = tmp_path / "a.CSV", tmp_path / "pipe.csv"
    file.write_bytes(BYTES)
    os.mkfifo(pipe)
    Thread(target=pipe.write_bytes, args=(BYTES,)).start()
    for kept in (incoming.keep_file(file), incoming.keep_file(pipe), incoming.keep(BytesIO(BYTES), "a.csv")):
        assert (kept.digest, kept.size, kept.path.suffix) == (hashlib.sha256(BYTES).hexdigest(), len(BYTES), ".csv")
        assert kept.path.read_bytes() == BYTES


def test_a_file_that_is_not_wanted_any_more_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(BYTES)
    unwanted = Event()
    unwanted.set()
    with pytest.raises(incoming.Unwanted):
        incoming.keep_file(tmp_path / "a.csv", unwanted)
    assert not list(incoming.folder().iterdir())
