"""Receipts of this ledger: the compact text and its QR code, and what the ledger itself says of a receipt."""

import io
from typing import Any
from uuid import UUID

import segno

from haitang.base.settings import settings
from haitang.support.security.cryptography.suites import SUITES
from haitang.support.security.evidence import compact
from haitang.support.security.evidence.export import NO_RECORD, NOT_SEALED
from haitang.support.security.evidence.keyring import compromise_json, key_json, keys
from haitang.support.security.evidence.merkle import Tree
from haitang.support.security.evidence.models import EvidenceRecord, KeyCompromise, Seal
from haitang.support.security.evidence.sealing import as_json, leaves_of


def receipt_text(ref: UUID | str) -> str:
    """The compact receipt of a record as an address of this instance, which a phone opens; raises NO_RECORD, NOT_SEALED."""
    record = EvidenceRecord.objects.filter(ref=ref).select_related("seal").first()
    if record is None:
        raise NO_RECORD(ref=ref)
    if record.seal is None or record.leaf_index is None:
        raise NOT_SEALED(ref=ref)
    suite = SUITES[record.seal.suite]
    tree = Tree(leaves_of(record.seal.number, suite), hash=suite.hash)
    path = tree.inclusion_proof(record.leaf_index)
    text = compact.write(tree.levels[0][record.leaf_index], record.leaf_index, path, as_json(record.seal))
    return f"{_address()}{compact.MARK}{text}"


def _address() -> str:
    """In capitals where that is the same address, because capitals take less room in a QR code."""
    found = settings().url.rstrip("/")
    return found.upper() if found.count("/") == 2 else found


def qr_svg(text: str) -> str:
    """A QR code (ISO/IEC 18004) of `text` as inline SVG, with the quiet zone that the standard asks for."""
    out = io.BytesIO()
    segno.make(text, error="l", boost_error=False, micro=False).save(
        out, kind="svg", scale=4, border=4, xmldecl=False, svgns=False, light="#ffffff", dark="#000000", nl=False
    )
    return out.getvalue().decode("utf-8")


def check_text(text: str) -> dict[str, Any]:
    """What this instance says of a compact receipt: `fault` (code or None), the receipt, and `ledger`: same, other, archived or unknown."""
    try:
        found = compact.read(text)
    except compact.ReceiptFault as fault:
        return {"fault": fault.code, "receipt": None, "ledger": "unknown"}
    every = [key_json(key) for key in keys()]
    marked = {told["key"]: told["since"] for told in map(compromise_json, KeyCompromise.objects.order_by("-since"))}
    fault_code = None
    try:
        if not every:
            raise compact.ReceiptFault("unknown_key")
        compact.holds(found, every, bytes.fromhex(every[0]["public"]), marked)
    except compact.ReceiptFault as fault:
        fault_code = fault.code
    return {"fault": fault_code, "receipt": found, "ledger": _in_ledger(found)}


def _in_ledger(found: compact.Compact) -> str:
    seal = Seal.objects.filter(number=found.seal["number"]).first() if 0 < found.seal["number"] < 2**62 else None
    if seal is None:
        return "unknown"
    if seal.chain != found.seal["chain"]:
        return "other"
    return "same" if EvidenceRecord.objects.filter(seal=seal, leaf_index=found.index).exists() else "archived"
