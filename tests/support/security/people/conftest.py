"""The platform's own declarations, in force."""

import pytest

from tests.support.security.shipped import shipped_in_force

_in_force = pytest.fixture(autouse=True)(shipped_in_force)
