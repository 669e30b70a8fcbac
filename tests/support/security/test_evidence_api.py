"""Roots are public, records are not; the command verifies what it exports."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.settings import settings, use
from haitang.server.cli.evidence import command
from haitang.support.security.evidence.export import Scope, export, note_export
from haitang.support.security.evidence.models import Seal, SigningKey
from haitang.support.security.evidence.queries import daily_root, daily_roots, head
from haitang.support.security.evidence.sealing import seal_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _ledger(tmp_path: Path) -> Iterator[None]:
    before = settings()
    use(replace(before, data=tmp_path))
    noon = clock.now().astimezone(clock.CHINA).replace(hour=12)  # no day ends during a test
    for days in (2, 0):
        with clock.frozen(noon - timedelta(days=days)):
            with acting(system("operator")) as act:
                note_export(act=act, scope=Scope())
            seal_all()
    with clock.frozen(noon):
        yield
    use(before)


def test_a_days_root_covers_its_seals_and_the_head_all_before() -> None:
    today = clock.now().astimezone(clock.CHINA).date()
    now, yesterday, earlier = (daily_root(today - timedelta(days=back)) for back in range(3))
    newest = head()
    assert newest is not None
    assert now["head"] == newest.chain
    assert (yesterday["seals"], yesterday["head"]) == (0, earlier["head"])
    assert now["root"] != earlier["root"]
    assert [day["date"] for day in daily_roots(today)] == [day["date"] for day in (now, yesterday, earlier)]


def test_anyone_reads_roots_and_only_the_permitted_read_records(client: object) -> None:
    from django.test import Client

    stranger = Client()
    roots = stranger.get("/api/evidence/roots").json()
    assert roots["keys"][0]["public"] == SigningKey.objects.get().public
    assert [day["final"] for day in roots["days"]] == [False, True, True]
    assert len(stranger.get("/api/evidence/seals").json()) == Seal.objects.count()
    assert stranger.get("/api/evidence/records").status_code == 401


def test_the_command_verifies_and_says_where(tmp_path: Path) -> None:
    out = io.BytesIO()
    export(out, Scope())
    file = tmp_path / "ledger.jsonl"
    file.write_bytes(out.getvalue())
    key = SigningKey.objects.get().public
    good = CliRunner().invoke(command, ["verify", str(file), "--key", key, "--json"])
    assert (good.exit_code, json.loads(good.output)["ok"]) == (0, True)
    file.write_bytes(out.getvalue().replace(b"system:operator", b"system:0perator", 1))
    bad = CliRunner().invoke(command, ["verify", str(file)])
    assert bad.exit_code == 1
    assert "字段 actor" in bad.output
    assert CliRunner().invoke(command, ["verify", str(file), "--key", "nonsense"]).exit_code == 2
