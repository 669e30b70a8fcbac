"""Errors are a code, data and a status; the sentence lives in the text catalogue and is made at the boundary.

A code reads `room.what`, for example `cases.move_not_allowed`. Each is registered once, next to the code that raises it, with its sentence
in zh-Hans; the English sentence stands in the room's `locale/en.yaml` under the Chinese one.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ErrorKind:
    """One registered error: `sentence` says what, where and how to mend it, with `{name}` places for the data."""

    code: str
    status: int
    sentence: str

    def __call__(self, **data: Any) -> "HaitangError":
        return HaitangError(self, data)


class HaitangError(Exception):
    """An error that a person can act on."""

    def __init__(self, kind: ErrorKind, data: dict[str, Any]) -> None:
        super().__init__(kind.code, data)
        self.kind = kind
        self.data = data

    @property
    def code(self) -> str:
        return self.kind.code

    @property
    def status(self) -> int:
        return self.kind.status

    @property
    def sentence(self) -> str:
        """What a person is told, in zh-Hans."""
        return self.kind.sentence.format(**self.data)

    def __str__(self) -> str:
        return f"{self.kind.code}: {self.sentence}"


registered: dict[str, ErrorKind] = {}


def error(code: str, status: int, sentence: str) -> ErrorKind:
    """Register an error; raise it with `raise NAME(key=value)`."""
    if code in registered:
        raise RuntimeError(f"error {code} is registered twice")
    registered[code] = ErrorKind(code, status, sentence)
    return registered[code]
