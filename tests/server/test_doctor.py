"""The doctor says what is wrong and what to do about it."""

from typing import Any

import pytest

from haitang.server.doctor import running


def test_a_dead_process_is_named_with_its_log_and_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {"process:writer": {"ok": False, "detail": "没有心跳"}, "database": {"ok": True, "detail": ""}}
    told: dict[str, Any] = {"running": True, "ready": False, "url": "http://127.0.0.1:1", "parts": parts, "processes": {}}
    monkeypatch.setattr(running, "report", lambda: told)
    instance, writer, database = running.findings()
    assert (instance.ok, writer.ok, database.ok) == (False, False, True)
    assert (writer.what, writer.found) == ("process:writer", "没有心跳")
    assert "logs/writer.log" in writer.remedy
    assert "自动重启" in writer.remedy
