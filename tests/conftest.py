"""Fixtures that every test may use."""

import sys

import pytest
from hypothesis import HealthCheck, settings

from tests import emptying

# An example takes as long as a busy machine takes for it. What else is in force stays so: `CI=true` has the same examples each time.
settings.register_profile("shared machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    emptying.use()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> object:
    """What one room's tests put in force is not left to the next room's: a test that needs it would pass or fail by what ran before on its worker."""
    yield
    forced = sys.modules.get("haitang.base.declarations.in_force")
    if forced and nextitem and nextitem.path.parent != item.path.parent:
        forced._current = None  # type: ignore[attr-defined]
