"""Fixtures that every test may use."""

import pytest

from tests import emptying


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    emptying.use()
