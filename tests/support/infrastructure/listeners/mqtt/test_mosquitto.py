"""Mosquitto's own clients as a second peer: what paho and our codec might both get wrong alike."""

import asyncio
import json
import subprocess
from typing import Any

import pytest

from haitang.base.actions import acting, system
from haitang.server.testing.mosquitto import program
from haitang.support.infrastructure.commands.actions import command
from haitang.support.infrastructure.credentials.actions import Issued
from haitang.support.infrastructure.things.models import Thing
from tests.support.infrastructure.listeners.conftest import Platform

pytestmark = [
    pytest.mark.mosquitto, pytest.mark.django_db(transaction=True), pytest.mark.parametrize("version", ["mqttv311", "mqttv5"]),
    pytest.mark.skipif(program("mosquitto_pub") is None, reason="Mosquitto's clients are not on this machine"),
]  # fmt: skip


def client(name: str, version: str, platform: Platform, issued: Issued, *more: str) -> "subprocess.CompletedProcess[str]":
    who = ["-u", issued.credential.identifier, "-P", issued.secret]
    return subprocess.run(
        [str(program(name)), "-V", version, "-h", "127.0.0.1", "-p", str(platform.port), *who, *more],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_its_messages_are_stored_and_it_hears_its_command(mqtt: Any, version: str) -> None:
    def restarted() -> str:
        with acting(system("operator")) as act:
            return str(command(act=act, thing=Thing.objects.get(pk="n1"), name="restart", parameters={"delay": 5}).pk)

    async def run() -> None:
        async with mqtt() as platform:
            issued = await platform.thing("n1")
            for qos in "012":
                message = json.dumps({"property": "leq", "value": 50 + int(qos)})
                said = await asyncio.to_thread(
                    client, "mosquitto_pub", version, platform, issued, "-q", qos, "-t", "things/n1/observations", "-m", message
                )
                assert said.returncode == 0, said.stderr
            assert sorted(o.number or 0 for o in await platform.observations()) == [50, 51, 52]
            made = await platform.database(restarted)
            heard = await asyncio.to_thread(
                client, "mosquitto_sub", version, platform, issued, "-q", "1", "-C", "1", "-W", "30", "-t", "things/n1/commands"
            )
            assert json.loads(heard.stdout)["id"] == made

    asyncio.run(run())
