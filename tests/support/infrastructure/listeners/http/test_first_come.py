"""A message that does not say when is of the moment at which it first came, whatever became of the front since."""

import asyncio
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from haitang.support.infrastructure.listeners.http.first_come import LENGTH, FirstCome
from tests.support.infrastructure.listeners.http.test_http import Sender, client_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


@pytest.mark.django_db(transaction=True)
def test_a_message_sent_again_to_a_front_that_was_started_anew_is_stored_once(served: Any) -> None:
    async def play() -> None:
        told, issued = [], None
        for _ in range(2):
            async with served() as platform, client_of(platform) as client:
                issued = issued or await platform.thing("n1")
                answer = await Sender(client, issued)([{"property": "leq", "value": 51}], "m1")
                assert answer.status_code == 200
                told += [(o.period_start, o.received_at, o.source_ref) for o in await platform.observations()]
        assert len(told) == 2
        assert len(set(told)) == 1  # two messages of the stream, one observation

    asyncio.run(play())


@pytest.mark.django_db(transaction=True)
def test_a_reading_that_did_not_change_is_one_all_the_same(served: Any) -> None:
    async def play() -> None:
        async with served() as platform, client_of(platform) as client:
            send = Sender(client, await platform.thing("n1"))
            ids = {(await send([{"property": "leq", "value": 51}])).json()["id"] for _ in range(2)}  # neither an id nor a time
            assert len(ids) == 2
            assert len({o.period_start for o in await platform.observations()}) == 2

    asyncio.run(play())


_NOTES = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from haitang.support.infrastructure.listeners.http.first_come import FirstCome
async def note():
    came = FirstCome(Path(sys.argv[1]))
    async def one(n):
        await came.of("t", str(n), b"", datetime(2026, 3, 1, tzinfo=UTC))
        print(n, flush=True)
    n = 0
    while True:
        await asyncio.gather(*(one(n + each) for each in range(16)))
        n += 16
asyncio.run(note())
"""


def test_what_was_noted_survives_kill_9(tmp_path: Path) -> None:
    file = tmp_path / "came"
    with subprocess.Popen([sys.executable, "-c", _NOTES, str(file)], stdout=subprocess.PIPE, text=True) as noting:
        assert noting.stdout
        told = [noting.stdout.readline().strip() for _ in range(200)]
        noting.send_signal(signal.SIGKILL)
        told += noting.stdout.read().split()
    came = FirstCome(file)
    assert {asyncio.run(came.of("t", id, b"", LATER)) for id in told} == {NOW}


def test_a_line_cut_off_spoils_none_after_it_and_other_content_is_another_message(tmp_path: Path) -> None:
    file = tmp_path / "came"

    async def note(id: str, at: datetime, content: bytes = b"") -> datetime:
        return await FirstCome(file).of("t", id, content, at)

    asyncio.run(note("a", NOW))
    with file.open("ab") as out:
        out.write(b"0" * (LENGTH // 2))  # the power went
    asyncio.run(note("b", NOW))
    assert [asyncio.run(note(id, LATER)) for id in "abc"] == [NOW, NOW, LATER]
    assert asyncio.run(note("a", LATER, b"other")) == LATER


def test_no_more_is_kept_than_told(tmp_path: Path) -> None:
    file = tmp_path / "came"

    async def note() -> None:
        came = FirstCome(file, kept=10)
        for n in range(100):
            await came.of("t", str(n), b"", NOW)

    asyncio.run(note())
    assert sum(each.stat().st_size for each in tmp_path.iterdir()) <= 20 * LENGTH
    assert asyncio.run(FirstCome(file, kept=10).of("t", "99", b"", LATER)) == NOW


def test_a_disk_that_is_full_takes_no_message_and_the_next_one_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "came"

    async def note() -> None:
        came = FirstCome(file)
        file.mkdir()  # cannot be written
        with pytest.raises(OSError):
            await came.of("t", "a", b"", NOW)
        file.rmdir()
        assert await came.of("t", "a", b"", LATER) == LATER

    asyncio.run(note())
