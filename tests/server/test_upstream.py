"""Two real instances: the daily roots of one arrive at the other, and a history that was rewritten below is found above."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.instances import Instance, haitang, wait_until

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


def below_does(below: Instance, code: str) -> str:
    """Run code in a process of the instance below, as whoever has full rights on its machine could."""
    head = (
        "from datetime import timedelta\nfrom pathlib import Path\nfrom haitang.base.settings import use\n"
        "from haitang.server.boot import boot\nfrom haitang.server.instance import settings_of\n"
        f"use(settings_of({{'data': Path({str(below.data)!r})}}, must_run=True))\nboot()\n"
        "from haitang.base import clock\nfrom django.db import connection, transaction\n"
        "from haitang.support.security.evidence import daily, models, keyring, days\n"
    )
    ran = subprocess.run([sys.executable, "-c", head + code], capture_output=True, text=True, timeout=200, env=below.environment, cwd="/")
    assert ran.returncode == 0, ran.stderr
    print(ran.stdout)
    return ran.stdout.splitlines()[-1]


# What the process `evidence` does once the day is over, with the clock set to tomorrow.
PUBLISH = """
with clock.frozen(clock.now() + timedelta(days=1)):
    daily.publish_days()
    print(daily.deliver_days())
"""

REWRITE = """
with transaction.atomic(), connection.cursor() as cursor:
    for table in ("evidence_dayroot", "evidence_upstreamreceipt"):
        cursor.execute(f"alter table {table} disable trigger all")
    cursor.execute("delete from evidence_upstreamreceipt")
    day = models.DayRoot.objects.order_by("date")[0]
    day.root, day.records = "0" * 64, 1
    key, private = keyring.signing_key()
    day.signature = keyring.sign(key, private, days.day_statement(daily.day_json(day)))
    day.save()
print(daily.deliver_days())
"""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Instance, Instance]]:
    above = Instance(tmp_path_factory.mktemp("above") / "data").start()
    below = Instance(tmp_path_factory.mktemp("below") / "data")
    below.environment |= {"HAITANG_UPSTREAM_URL": above.url, "HAITANG_OUTGOING_ALLOW": "127.0.0.0/8"}
    below.start()
    yield above, below
    below.stop()
    above.stop()


def told(instance: Instance, *arguments: str) -> Any:
    ran = haitang("evidence", *arguments, "--json", "--data", str(instance.data))
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def days_of(instance: Instance) -> Any:
    return instance.get("/api/evidence/days").json()["days"]


def test_roots_arrive_above_and_a_rewritten_history_is_found(nodes: tuple[Instance, Instance], tmp_path: Path) -> None:
    above, below = nodes
    told(below, "export", str(tmp_path / "ledger.jsonl"))
    public = told(below, "keys")[0]["public"]
    told(above, "admit-node", "500111", "--key", public, "--title", "大足区")
    below_does(below, PUBLISH)  # its own process `evidence` may be the quicker one to hand it in
    wait_until(lambda: days_of(below)[0]["upstream"], 120)
    day = days_of(below)[0]
    assert day["upstream"]["root"] == day["root"]
    assert day["upstream"]["node"] == "500111"
    assert "500111" in above.get("/evidence/roots").text
    assert below_does(below, REWRITE) == "0"  # refused: it is another story of the same day
    roots = above.get("/evidence/roots", headers={"Accept-Language": "en"}).text
    assert "contradicted" in roots
    told(above, "export", str(tmp_path / "above.jsonl"))
    said = (tmp_path / "above.jsonl").read_text("utf-8")
    assert "evidence.refuse_root" in said
    key = told(above, "keys")[0]["public"]
    assert haitang("evidence", "verify", str(tmp_path / "above.jsonl"), "--key", key).returncode == 0
    assert haitang("evidence", "verify", str(tmp_path / "above.jsonl"), "--key", public).returncode == 1
