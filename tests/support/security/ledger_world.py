"""What tests of the ledger share: an instance's settings in a folder of its own, and records to seal."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from haitang.base.actions import acting, action, system
from haitang.base.settings import settings, use
from haitang.support.security.evidence.export import Scope, export
from haitang.support.security.evidence.verify import Report, verify


@action("evidence.test_world", title="测试")
def note(*, act: Any, subject: str, facts: Any = None) -> None:
    act.record("case", subject, facts or {"move": "派遣"})


def write(*subjects: str, at: Any = None) -> None:
    for subject in subjects:
        with acting(system("operator"), at=at) as act:
            note(act=act, subject=subject)


@contextmanager
def instance(data: Path, **given: Any) -> Iterator[None]:
    """Settings of an instance in `data`, changed as given, for the block."""
    before = settings()
    use(replace(before, data=data, **given))
    try:
        yield
    finally:
        use(before)


def exported(scope: Scope | None = None) -> bytes:
    export(out := io.BytesIO(), scope or Scope())
    return out.getvalue()


def check(content: bytes, public: str | None = None, authorities: bytes | None = None) -> Report:
    return verify(io.BytesIO(content), bytes.fromhex(public) if public else None, authorities)


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}
