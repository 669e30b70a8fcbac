"""The last stations: the ledger is sealed, and anyone verifies it offline."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from haitang.server.tour.context import Context, wait_for
from haitang.server.tour.report import NotHeld
from haitang.support.security.evidence.models import EvidenceRecord


def evidence_sealed(context: Context) -> dict[str, Any]:
    """Every record of the case is under a signed seal."""
    records = EvidenceRecord.objects.filter(subject_kind="case", subject_id=context.case["id"])
    wait_for("seal", lambda: not records.filter(seal=None).exists(), seconds=120, unsealed=records.filter(seal=None).count())
    return {"records": records.count(), "actions": sorted(set(records.values_list("action", flat=True))), "unsealed": 0}


def evidence_verified(context: Context) -> dict[str, Any]:
    """The export of the case verifies with the published key alone; one changed byte is found and located."""
    file, changed = context.instance.data / "tour-evidence.jsonl", context.instance.data / "tour-evidence-changed.jsonl"
    subject = f"case:{context.case['number']}"
    manifest = json.loads(_done([*context.instance.command("evidence", "export", str(file), "--subject", subject, "--json")]))
    key = httpx.get(f"{context.instance.url}/api/evidence/roots").json()["keys"][-1]["public"]
    good = _verify(file, key)
    if not good["ok"] or not good["trusted"]:
        raise NotHeld("the export does not verify", findings=good["findings"][:3])
    content = bytearray(file.read_bytes())
    at = content.index(subject.encode()) if subject.encode() in content else len(content) // 2
    content[at] ^= 1
    changed.write_bytes(content)
    bad = _verify(changed, key)
    if bad["ok"] or not bad["findings"]:
        raise NotHeld("a changed byte was not found", at=at)
    line = content[:at].count(b"\n") + 1
    if line not in {found["line"] for found in bad["findings"]}:
        raise NotHeld("a changed byte was not located", line=line, findings=bad["findings"][:3])
    return {**good["counts"], "rows_of_the_lake": manifest["rows"], "changed_byte": f"found in line {line}"}


def _done(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise NotHeld(f"{' '.join(command[3:5])} ended with {done.returncode}: {(done.stdout + done.stderr)[-400:]}")
    return done.stdout


def _verify(file: Path, key: str) -> dict[str, Any]:
    """Run the verifier on its own: no data directory, no instance."""
    command = [sys.executable, "-m", "haitang.server.cli", "evidence", "verify", str(file), "--key", key, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
