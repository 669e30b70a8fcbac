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
from haitang.support.security.evidence.receipts import receipt_text
from haitang.support.security.tls.contexts import verifying


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
    key = _public(context, "/api/evidence/roots").json()["keys"][-1]["public"]
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


def receipt_checked(context: Context) -> dict[str, Any]:
    """A receipt holds offline as a file and as the content of its QR code; with one byte changed neither does. The public page says the same."""
    record = EvidenceRecord.objects.filter(subject_kind="case", subject_id=context.case["id"]).order_by("id")[0]
    file, code = context.instance.data / "tour-receipt.jsonl", context.instance.data / "tour-receipt.txt"
    _done([*context.instance.command("evidence", "receipt", str(record.ref), str(file))])
    code.write_text(text := receipt_text(record.ref), "ascii")
    key = _public(context, "/api/evidence/roots").json()["keys"][0]["public"]
    held = {"file": _verify(file, key)["ok"], "qr": _verify(code, key)["ok"], "page": _page_says(context, text)}
    for each in (file, code):
        content = bytearray(each.read_bytes())
        content[len(content) // 2] = ord("B") if content[len(content) // 2] != ord("B") else ord("C")
        each.write_bytes(content)
    changed = {"file": _verify(file, key)["ok"], "qr": _verify(code, key)["ok"], "page": _page_says(context, code.read_text("ascii"))}
    if not all(held.values()) or any(changed.values()):
        raise NotHeld("a receipt does not hold, or a changed one does", held=held, changed=changed)
    return {"record": str(record.ref), "seal": record.seal_id, "characters": len(text), "held": held, "changed": changed}


def _page_says(context: Context, text: str) -> bool:
    """What the public page says of a scanned receipt, to somebody who is not signed in."""
    page = _public(context, f"/R/{text.rpartition('/R/')[2]}", headers={"Accept-Language": "zh-CN"}).text
    return "✓" in page and "✕" not in page


def _public(context: Context, path: str, **more: Any) -> httpx.Response:
    """What anybody gets, however busy the platform is."""
    return httpx.get(f"{context.instance.url}{path}", timeout=60, trust_env=False, verify=verifying(), **more)


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
