"""The doctor says what is wrong and what to do about it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haitang.base.settings import settings, use
from haitang.server.doctor import certificate, running
from tests.support.security import certificates


def test_a_dead_process_is_named_with_its_log_and_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {"process:writer": {"ok": False, "detail": "没有心跳"}, "database": {"ok": True, "detail": ""}}
    told: dict[str, Any] = {"running": True, "ready": False, "url": "http://127.0.0.1:1", "parts": parts, "processes": {}}
    monkeypatch.setattr(running, "report", lambda: told)
    instance, writer, database = running.findings()
    assert (instance.ok, writer.ok, database.ok) == (False, False, True)
    assert (writer.what, writer.found) == ("process:writer", "没有心跳")
    assert "logs/writer.log" in writer.remedy
    assert "自动重启" in writer.remedy


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    """A folder with the certificate and key that are set."""
    before = settings()
    use(replace(before, tls_certificate=str(tmp_path / "certificate.pem"), tls_key=str(tmp_path / "key.pem"), tls_for="http"))
    yield tmp_path
    use(before)


@pytest.mark.parametrize(("days", "ok", "told"), [(90, True, "还有 90 天"), (13, False, "还有 13 天"), (-1, False, "已过期")])
def test_a_certificate_is_renewed_before_it_expires(served: Path, days: int, ok: bool, told: str) -> None:
    certificates.write(served, days=days)
    (found,) = certificate.findings()
    assert (found.ok, told in found.found) == (ok, True)
    assert "HAITANG_TLS_CERTIFICATE" in found.remedy


def test_a_certificate_whose_key_is_another_is_named(served: Path) -> None:
    key = certificates.write(served)[1].read_bytes()
    certificates.write(served)
    (served / "key.pem").write_bytes(key)
    (found,) = certificate.findings()
    assert not found.ok
    assert "certificate.pem" in found.found


def test_without_a_certificate_there_is_nothing_to_say() -> None:
    assert list(certificate.findings()) == []
