"""The collected packets: official vectors, captures, and a station's log. Not part of the product."""

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[6] / "shared"


def lines(name: str) -> list[bytes]:
    """The packets of one file of samples, each with its CR LF."""
    file = SHARED / "standards/samples/hj212" / name
    if not file.exists():
        pytest.skip("the folder of samples is not on this machine")
    return [line + b"\r\n" for line in file.read_bytes().split(b"\r\n") if line]


def packets() -> list[dict[str, Any]]:
    file = SHARED / "data/hj212/packets.json"
    if not file.exists():
        pytest.skip("the recorded packets are not on this machine")
    rows: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return rows
