"""What the product ships, in force for a test."""

from collections.abc import Iterator
from functools import cache

from haitang.base.declarations import Declarations
from haitang.base.declarations.in_force import holding
from haitang.server.declared import load, owners_with


@cache
def shipped_declarations() -> Declarations:
    found = load(owners_with(None)).declarations
    assert found
    return found


def shipped_in_force() -> Iterator[None]:
    with holding(shipped_declarations()):
        yield
