"""Fixtures that every test may use."""

import sys

import pytest
from hypothesis import HealthCheck, settings

from tests import emptying

settings.register_profile(
    "shared machine",  # whose processor may be busy elsewhere for seconds: an example that takes long is no fault
    settings(),
    deadline=None,
    suppress_health_check=[*settings().suppress_health_check, HealthCheck.too_slow],
)
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
