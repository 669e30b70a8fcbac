from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hub.data.fresh import fresh_lake


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Any]:
    with fresh_lake(tmp_path) as connection:
        yield connection
