"""What a node says of a finished day, signed: pure functions that the instance, the node above and an offline verifier share."""

from collections.abc import Mapping
from typing import Any

from haitang.support.security.evidence import key_chain
from haitang.support.security.evidence.canonical import canonical

DAY, RECEIPT = "haitang-day/1", "haitang-day-receipt/1"
OF_A_DAY = ("node", "date", "seals", "first_seal", "last_seal", "records", "root", "head", "suite", "key")
OF_A_RECEIPT = ("by", "node", "date", "root", "head", "received_at", "record", "key")


def day_statement(day: Mapping[str, Any]) -> bytes:
    return canonical({"format": DAY, **{name: day[name] for name in OF_A_DAY}})


def receipt_statement(receipt: Mapping[str, Any]) -> bytes:
    return canonical({"format": RECEIPT, **{name: receipt[name] for name in OF_A_RECEIPT}})


def day_holds(day: Mapping[str, Any], keys: list[dict[str, Any]], pinned: bytes) -> bool:
    """Whether the day is signed by a key that the pinned one vouches for."""
    known = {key["id"]: key for key in keys}
    return day["key"] in key_chain.trusted(keys, pinned) and key_chain.signed(known[day["key"]], day_statement(day), day["signature"])


def contradiction(day: Mapping[str, Any], earlier: list[Mapping[str, Any]]) -> str | None:
    """Why `day` cannot be true beside the days known before, by date; None when it can.

    The same date has one root and one head; seals are numbered through, so a later date begins after an earlier one ended.
    """
    for known in earlier:
        if known["date"] == day["date"]:
            return None if all(known[name] == day[name] for name in OF_A_DAY if name != "key") else "same_date"
        first, second = (known, day) if known["date"] < day["date"] else (day, known)
        if first["last_seal"] and second["first_seal"] and second["first_seal"] <= first["last_seal"]:
            return "seals_overlap"
    return None
