"""What may be wrong with a machine or an instance, and what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing examined: `remedy` says what to do when it is not `ok`."""

    what: str
    ok: bool
    found: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Everything there is to say about this machine and the instance in use."""
    from haitang.server.doctor import certificate, machine, running

    def all_of_it() -> Iterator[Finding]:
        yield from machine.findings()
        yield from certificate.findings()
        yield from running.findings()

    return list(all_of_it())
