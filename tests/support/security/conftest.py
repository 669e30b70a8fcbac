"""The platform's own declarations, for tests that look into them (`shipped.shipped_in_force` puts them in force)."""

import pytest

from haitang.base.declarations import Declarations
from tests.support.security.shipped import shipped_declarations


@pytest.fixture
def shipped() -> Declarations:
    return shipped_declarations()
