"""What lower rooms may ask of higher ones, as typed protocols.

A lower room calls `ports.evidence().append(...)`; a higher room registered an implementation in its `AppConfig.ready` with
`ports.evidence.register(...)`. Nothing imports upward.
"""

from typing import Generic, TypeVar

from haitang.base.ports.protocols import (
    Channel,
    Decision,
    Divisions,
    Duties,
    EvidenceLedger,
    Letters,
    LiveFeed,
    Matter,
    Matters,
    Notices,
    Policy,
    Refusals,
    SecondKey,
    Seeding,
)

__all__ = [
    "Channel",
    "Decision",
    "Matter",
    "Port",
    "divisions",
    "duties",
    "evidence",
    "letters",
    "live",
    "matters",
    "notices",
    "policy",
    "refusals",
    "second_key",
    "seeding",
]

T = TypeVar("T")


class Port(Generic[T]):
    """A place for one implementation; calling it gives the implementation."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._implementation: T | None = None

    def register(self, implementation: T) -> None:
        if self._implementation is not None and type(self._implementation) is not type(implementation):
            raise RuntimeError(f"port {self.name} is taken by {type(self._implementation).__name__}")
        self._implementation = implementation

    def __call__(self) -> T:
        if self._implementation is None:
            raise RuntimeError(f"no room serves the port {self.name}")
        return self._implementation


evidence: Port[EvidenceLedger] = Port("evidence")
policy: Port[Policy] = Port("policy")
refusals: Port[Refusals] = Port("refusals")
matters: Port[Matters] = Port("matters")
notices: Port[Notices] = Port("notices")
live: Port[LiveFeed] = Port("live")
duties: Port[Duties] = Port("duties")
letters: Port[Letters] = Port("letters")
divisions: Port[Divisions] = Port("divisions")
second_key: Port[SecondKey] = Port("second_key")
seeding: Port[Seeding] = Port("seeding")
