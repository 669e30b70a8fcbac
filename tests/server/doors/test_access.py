"""The whole table of who gets through which door is committed: access.json. It changes only on purpose (HAITANG_UPDATE_ACCESS=1) and is read in review.

A new route has no row and fails here, in both directions: a row whose route is gone fails too. Bodies of the API are made from its own schema.
An empty row: nobody gets through with the sample, because its content (a secret, a waiting invitation) is refused first.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from haitang.base.declarations import Declarations
from haitang.base.declarations.in_force import holding
from tests.server.doors.access import ENDS_A_SESSION, Asking, Recorder, askers, device_doors, sample_bodies, summed_up
from tests.server.doors.conftest import Clients
from tests.server.doors.routes import routes

TABLE = Path(__file__).with_name("access.json")


@pytest.fixture
def table(samples: dict[str, str], clients: Clients, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Route and method -> who gets through."""
    from haitang.server.urls import api

    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # the test client speaks plain HTTP, behind the front it is what the front says
    asking, everybody, found = Asking(samples, sample_bodies(api.get_openapi_schema()), Recorder()), askers(), {}
    with asking.recorder.listening(monkeypatch):
        for route in routes():
            for method in asking.served(clients.everything, route):
                if route.pattern not in ENDS_A_SESSION:
                    found[f"{method} {route.pattern}"] = summed_up(asking.outcomes(everybody, method, route))
    return found


@pytest.mark.long  # some two thousand requests
@pytest.mark.timeout(600)
def test_everybody_gets_through_the_doors_that_the_table_names_and_no_others(table: dict[str, Any]) -> None:
    through = {**{key: " ".join(who) for key, who in table.items()}, **device_doors()}
    if os.environ.get("HAITANG_UPDATE_ACCESS"):
        TABLE.write_text(json.dumps(through, indent=1, ensure_ascii=False) + "\n", "utf-8")
    known = json.loads(TABLE.read_text("utf-8"))
    assert {key: who for key, who in through.items() if known.get(key) != who} == {}
    assert set(known) == set(through)


def test_every_door_of_devices_has_its_row(shipped: Declarations) -> None:
    """What a device is let do by the listeners (`device.*`), to itself, to another thing, provisional or retired; and that no other sort of identity gets through."""
    known = {key: who for key, who in json.loads(TABLE.read_text("utf-8")).items() if key.startswith("DEVICE ")}
    with holding(shipped):
        assert known == device_doors()


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    """Asks nobody, and so is quick: a route that was added without saying whom it lets through fails here first."""
    known = {key.partition(" ")[2] for key in json.loads(TABLE.read_text("utf-8")) if not key.startswith("DEVICE ")}
    assert known | ENDS_A_SESSION == {route.pattern for route in routes()} | ENDS_A_SESSION
