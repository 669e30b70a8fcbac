"""The lines of an evidence file: canonical JSON, one a line, each with a check of itself so that a changed byte is found where it stands.

The format is described in docs/explanation/evidence.md. Pure, for the offline verifier.
"""

from collections.abc import Mapping
from typing import Any

from haitang.support.security.evidence.canonical import canonical
from haitang.support.security.evidence.merkle import sha256

FORMAT = "haitang-evidence/1"
MARK = 8


def check_of(line: Mapping[str, Any]) -> str:
    """The hex SHA-256 of the canonical line without its member `check`."""
    return sha256(canonical({name: value for name, value in line.items() if name != "check"})).hex()


def marks_of(body: Mapping[str, Any]) -> dict[str, str]:
    """The first 8 hex digits of each member's SHA-256: they prove nothing, they only point to the member that was changed."""
    return {name: sha256(canonical(value)).hex()[:MARK] for name, value in body.items()}


def encode(line: Mapping[str, Any]) -> bytes:
    return canonical({**line, "check": check_of(line)}) + b"\n"
