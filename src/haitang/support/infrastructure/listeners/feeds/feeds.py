"""All feeds of the release in force: opened, closed and opened anew as it changes; and the things that they are about."""

import asyncio
from ipaddress import ip_network
from typing import cast

import structlog

from haitang.base.declarations import Declarations, in_force, release_digest
from haitang.base.settings import settings
from haitang.support.infrastructure.listeners.batcher import Batcher
from haitang.support.infrastructure.listeners.counters import Counters
from haitang.support.infrastructure.listeners.directory import Directory, node_of
from haitang.support.infrastructure.listeners.feeds.kinds import Feed
from haitang.support.infrastructure.listeners.feeds.outside import Outside, password_of
from haitang.support.infrastructure.listeners.known import Known, Meaning
from haitang.support.infrastructure.stream.client import Stream
from haitang.support.infrastructure.stream.messages import Origin
from haitang.support.infrastructure.things.kinds import Device

log = structlog.get_logger()
NAME = "feeds"
EVERY = 2.0  # seconds between two looks at things and release
COUNTED = ("received", "acknowledged", "set_aside", "published", "batches", "stream_waits")


class Feeds:
    """Runs in the process `mqtt`; most places have none, and then it does nothing but look."""

    def __init__(self, stream: Stream, directory: Directory) -> None:
        self._directory = directory
        self.counters = Counters(f"{NAME}.json", COUNTED)
        self._batcher = Batcher(stream, self.counters, lambda: directory.view.release, NAME)
        self._open: dict[str, tuple[Feed, Outside]] = {}
        self._things: dict[str, Known] = {}

    async def run(self) -> None:
        """Keep the feeds that are declared open, until cancelled."""
        publishing = asyncio.create_task(self._batcher.run())
        try:
            while True:
                await self._look()
                await asyncio.sleep(EVERY)
        finally:
            publishing.cancel()
            for _, outside in self._open.values():
                await outside.close()

    async def _look(self) -> None:
        try:
            node, declared, things = await self._directory.off_loop(lambda: _read(bool(self._open)))
        except Exception as failure:  # whatever it is, feeds go on as they are known so far
            log.warning("feeds.not_read", reason=str(failure))
            return
        self._things = things
        for id in [id for id, (feed, _) in self._open.items() if declared.get(id) != feed]:
            await self._open.pop(id)[1].close()
        for id, feed in declared.items():
            if id not in self._open:
                if not things:
                    _, _, self._things = await self._directory.off_loop(lambda: _read(True))
                outside = Outside(feed, node, self._find, self._batcher, self.counters, password_of(id, settings().data))
                outside.open()
                self._open[id] = feed, outside
        if self._open:
            self.counters.write(settings().run, feeds=sorted(self._open))

    def _find(self, thing: str) -> Known | None:
        found = self._things.get(thing)
        if found:
            self._directory.heard_thing(thing)
        return found


def _read(with_things: bool) -> tuple[str, dict[str, Feed], dict[str, Known]]:
    """Node, feeds in force and, where there are any, the things that are listened to."""
    from haitang.support.infrastructure.things.queries import all_admitted

    declared = in_force() if release_digest() else Declarations("", {})
    node, feeds = node_of(declared), dict(declared.all(Feed))
    if not (with_things and feeds):
        return node, feeds, {}
    meanings = {id: Meaning.of(device) for id, device in declared.all(Device).items()}
    things = {
        thing.id: Known(
            node, thing.id, cast(Origin, thing.origin), meanings.get(thing.device, Meaning()),
            ip_network(thing.address, strict=False) if thing.address else None,
        )
        for thing in all_admitted()
    }  # fmt: skip
    return node, feeds, things
