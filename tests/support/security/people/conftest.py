"""The platform's own declarations, in force."""

import sys
from collections.abc import Iterator

import pytest

from haitang.base.declarations import Declarations, put_in_force
from haitang.server.declared import load, owners_with


@pytest.fixture(scope="package")
def shipped() -> Declarations:
    found = load(owners_with(None)).declarations
    assert found
    return found


@pytest.fixture(autouse=True)
def _in_force(shipped: Declarations) -> Iterator[None]:
    forced = sys.modules["haitang.base.declarations.in_force"]
    before = forced._current
    put_in_force(shipped)
    yield
    forced._current = before  # type: ignore[attr-defined]
