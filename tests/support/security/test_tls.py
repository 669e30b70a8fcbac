"""TLS of our listeners, over real sockets: 1.2 and newer, and a new certificate while connections stay."""

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haitang.base.errors import HaitangError
from haitang.base.settings import settings, use
from haitang.support.security.tls.contexts import Renewed, served, to_ourselves
from tests.support.security import certificates


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    before = settings()
    certificate, key = certificates.write(tmp_path)
    use(replace(before, tls_certificate=str(certificate), tls_key=str(key), tls_for="http mqtt"))
    yield certificate, key
    use(before)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()


def client(certificate: Path | None = None, **versions: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate) if certificate else None)
    if certificate is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name, value in versions.items():
        setattr(context, name, value)
    return context


async def said(pair: Any, line: bytes = b"hello\n") -> bytes:
    reader, writer = pair
    writer.write(line)
    return bytes(await asyncio.wait_for(reader.readline(), 60))


def test_a_new_certificate_is_taken_up_and_no_connection_dropped(files: tuple[Path, Path], tmp_path: Path) -> None:
    async def go() -> None:
        renewed = served("mqtt")
        assert renewed
        server = await asyncio.start_server(_echo, "127.0.0.1", 0, ssl=renewed.context)
        port = server.sockets[0].getsockname()[1]
        old = await asyncio.open_connection("127.0.0.1", port, ssl=client(files[0]))
        first = old[1].get_extra_info("ssl_object").getpeercert(True)
        assert not renewed.look()
        certificates.write(tmp_path)
        assert renewed.look()
        new = await asyncio.open_connection("127.0.0.1", port, ssl=client(files[0]))
        assert new[1].get_extra_info("ssl_object").getpeercert(True) != first
        assert (await said(old), await said(new)) == (b"hello\n", b"hello\n")
        for _, writer in (old, new):
            writer.close()
        server.close()

    asyncio.run(go())


def test_a_renewal_that_is_half_written_leaves_the_old_certificate(files: tuple[Path, Path], tmp_path: Path) -> None:
    async def go() -> None:
        renewed = Renewed(*files)
        server = await asyncio.start_server(_echo, "127.0.0.1", 0, ssl=renewed.context)
        port = server.sockets[0].getsockname()[1]
        old = files[0].read_bytes()
        aside = tmp_path / "aside"
        aside.mkdir()
        other, key = certificates.write(aside)
        files[0].write_bytes(other.read_bytes())  # the certificate is new, the key still the old one
        assert not renewed.look()
        (tmp_path / "old.pem").write_bytes(old)
        pair = await asyncio.open_connection("127.0.0.1", port, ssl=client(tmp_path / "old.pem"))
        assert await said(pair) == b"hello\n"
        pair[1].close()
        files[1].write_bytes(key.read_bytes())
        assert renewed.look()
        server.close()

    asyncio.run(go())


@pytest.mark.parametrize(("most", "speaks"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
def test_nothing_older_than_tls_1_2_is_spoken(files: tuple[Path, Path], most: str, speaks: bool) -> None:
    async def go() -> bool:
        found = served("http")
        assert found
        server = await asyncio.start_server(_echo, "127.0.0.1", 0, ssl=found.context)
        asked = client(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion[most])
        asked.set_ciphers("ALL:@SECLEVEL=0")
        try:
            pair = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1], ssl=asked)
            held = await said(pair) == b"hello\n"
            pair[1].close()
            return held
        except (ssl.SSLError, OSError):
            return False
        finally:
            server.close()

    assert asyncio.run(go()) is speaks


def test_what_is_not_listed_speaks_without_tls_and_a_wrong_file_is_named() -> None:
    assert served("hj212") is None
    use(replace(settings(), tls_key="/nowhere.pem"))
    with pytest.raises(HaitangError, match="bad_certificate"):
        served("http")
    assert to_ourselves().check_hostname is False
