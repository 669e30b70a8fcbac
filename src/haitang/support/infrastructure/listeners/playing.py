"""Players that send a recorded series by MQTT or HTTP, each as one thing marked replay, with a credential that marks whatever comes by it as replay.

That credential is issued when the replay begins and revoked when it ends. A device cannot mark its own messages: it could hide live data among replayed ones, or
pass replayed ones off as live.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.declarations import in_force
from haitang.base.text import T
from haitang.support.infrastructure.credentials.actions import Issued, issue, revoke
from haitang.support.infrastructure.listeners.hj212.replay import HOUR, Series, Values
from haitang.support.infrastructure.listeners.hj212.station import NotAnsweredError
from haitang.support.infrastructure.listeners.mqtt.client import NotAcknowledgedError, Publisher
from haitang.support.infrastructure.listeners.speaking import speakable, spoken
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import Thing
from haitang.support.infrastructure.things.queries import all_admitted
from haitang.support.security.tls.contexts import to_listener, verifying

LONGEST = timedelta(days=30)  # that a credential of a replay holds, should its end be missed
TRIES, AT_ONCE = 20, 8
PATH = "/api/data/observations"


class Sends(Protocol):
    """Sends elements of one thing as one message, and returns once they are durable; raises NotAnsweredError."""

    async def __call__(self, thing: str, elements: list[dict[str, Any]], id: str) -> None: ...


@dataclass
class JsonPlayer:
    """A thing that plays one recorded station by MQTT or HTTP."""

    thing: str
    properties: frozenset[str]
    send: Sends
    recorded: str = ""

    @property
    def name(self) -> str:
        return self.thing

    async def play(self, series: Series, start: datetime) -> int:
        """Send one hour; returns how many values were acknowledged, 0 for an hour without any."""
        values: Values = {name: value for name, value in series.at(self.recorded, start).items() if name in self.properties}
        span = {"statistic": "mean", "start": start.isoformat(), "end": (start + HOUR).isoformat()}
        elements = [{"property": name, "value": value, **span} for name, value in values.items()]
        if elements:
            await self.send(self.thing, elements, f"replay:{start.astimezone(clock.CHINA):%Y%m%d%H}")
        return len(elements)


def replayed(things: Sequence[str]) -> list[tuple[Thing, frozenset[str]]]:
    """The things marked replay (of `things`, where any are named) whose type is declared, with what each observes, ordered by id."""
    devices = in_force().all(Device)
    found = all_admitted().filter(origin="replay", **({"pk__in": list(things)} if things else {}))
    return [(thing, frozenset(devices[thing.device].observes)) for thing in found if thing.device in devices]


def _own_words(thing: Thing) -> Device | None:
    """The type of a thing whose messages have a form of their own."""
    device = in_force().all(Device).get(thing.device)
    return device if device is not None and device.message is not None else None


@asynccontextmanager
async def opened(
    via: str, things: Sequence[tuple[Thing, frozenset[str]]], *, host: str, mqtt: int, url: str
) -> AsyncIterator[list[JsonPlayer]]:
    """Players for these things (marked replay) and the properties of each, by `mqtt` or `http`."""
    issued = await asyncio.to_thread(lambda: [_issued(thing) for thing, _ in things])
    try:
        async with AsyncExitStack() as stack:
            players = []
            for (thing, properties), each in zip(things, issued, strict=True):
                device = await asyncio.to_thread(_own_words, thing) if via == "mqtt" else None
                if device is not None:
                    properties = properties & speakable(device).keys()
                send = await (_by_mqtt(stack, each, host, mqtt, device) if via == "mqtt" else _by_http(stack, each, url))
                players.append(JsonPlayer(thing.id, properties, send))
            yield players
    finally:
        await asyncio.to_thread(_revoke_all, issued)


def _issued(thing: Thing) -> Issued:
    with acting(system("operator")) as act:
        return issue(act=act, thing=thing, label=T("回放"), valid_until=clock.now() + LONGEST, origin="replay")


def _revoke_all(issued: Sequence[Issued]) -> None:
    with acting(system("operator")) as act:
        for each in issued:
            revoke(act=act, credential=each.credential, reason=T("回放已结束"))


async def _by_mqtt(stack: AsyncExitStack, issued: Issued, host: str, port: int, kind: Device | None) -> Sends:
    """In the words of the device's type where it has its own, else in ours."""
    device = await stack.enter_async_context(Publisher(host, port, issued.credential.identifier, issued.secret, to_listener("mqtt")))

    async def send(thing: str, elements: list[dict[str, Any]], id: str) -> None:
        try:
            await device.publish(*_said(kind, thing, elements, id), id=id)
        except NotAcknowledgedError as reason:
            raise NotAnsweredError(f"{thing}: {reason}") from None

    return send


def _said(kind: Device | None, thing: str, elements: list[dict[str, Any]], id: str) -> tuple[str, bytes]:
    """Topic and payload."""
    if kind is None or kind.message is None:
        return f"things/{thing}/observations", json.dumps(elements).encode()
    start = datetime.fromisoformat(elements[0]["start"])
    values = {each["property"]: each["value"] for each in elements}
    return kind.message.topic.replace("{thing}", thing), spoken(kind, start, values, id)


async def _by_http(stack: AsyncExitStack, issued: Issued, url: str) -> Sends:
    auth = httpx.BasicAuth(issued.credential.identifier, issued.secret)
    client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, auth=auth, verify=verifying(), trust_env=False, timeout=60))
    room = asyncio.Semaphore(AT_ONCE)

    async def send(thing: str, elements: list[dict[str, Any]], id: str) -> None:
        async with room:
            for _ in range(TRIES):
                answer = await client.post(PATH, json=elements, headers={"Idempotency-Key": id})
                if answer.status_code not in (429, 503):
                    break
                await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
        if answer.status_code != 200:
            raise NotAnsweredError(f"{thing}: HTTP {answer.status_code} {answer.text[:200]}")

    return send
