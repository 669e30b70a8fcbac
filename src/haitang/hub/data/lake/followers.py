"""What is computed from the lake after a commit, inside the writer's process, so that one process writes the lake.

A higher room registers in its `AppConfig.ready`: `followers.register("derive", follow, every=3.0)`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

log = structlog.get_logger()

# What a follower is given: the writer's connection and the last block that is in the lake.
Follow = Callable[[Any, int], object]

SHARE = 0.1  # of the writer's time that one follower may take, however much there is to do: what it owes, it owes later


@dataclass
class Follower:
    """One follower; `due` is when it may run again (monotonic seconds)."""

    name: str
    follow: Follow
    every: float
    due: float = 0.0


registered: dict[str, Follower] = {}


def register(name: str, follow: Follow, *, every: float) -> None:
    """Have `follow` called after commits, at most every so many seconds, in the order of registration."""
    if name in registered and registered[name].follow is not follow:
        raise RuntimeError(f"follower {name} is registered twice")
    registered[name] = Follower(name, follow, every)


def run(connection: Any, position: int, *, force: bool = False) -> None:
    """Call the followers that are due; each knows itself what it has to do. A failing one is logged and called again; it holds up nobody."""
    for follower in registered.values():
        began = time.monotonic()
        if began < follower.due and not force:
            continue
        try:
            follower.follow(connection, position)
        except Exception:
            log.exception("lake.follower_failed", follower=follower.name)
        ended = time.monotonic()
        follower.due = ended + max(follower.every, (ended - began) / SHARE)
