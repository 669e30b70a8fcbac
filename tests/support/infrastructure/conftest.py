from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.infrastructure.nats_server import NatsServer


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path)
    server.start()
    yield server
    server.stop()
