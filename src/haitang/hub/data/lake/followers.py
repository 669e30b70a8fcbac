"""What is computed from the lake after a commit, inside the writer's process, so that one process writes the lake.

A higher room registers in its `AppConfig.ready`: `followers.register("derive", follow, every=3.0)`. One that adds blocks of its own returns True.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from haitang.base.pace import Pace

log = structlog.get_logger()

# What a follower is given: the writer's connection and the last block that is in the lake.
Follow = Callable[[Any, int], object]

SHARE = 0.1  # of the writer's time that one follower may take, however much there is to do: what it owes, it owes later


@dataclass
class Follower:
    """One follower; `due` is when it may run again (monotonic seconds)."""

    name: str
    follow: Follow
    pace: Pace
    anytime: bool = False
    due: float = 0.0


registered: dict[str, Follower] = {}


def register(name: str, follow: Follow, *, every: float, share: float = SHARE, anytime: bool = False) -> None:
    """Have `follow` called after commits, at most every so many seconds, in the order of registration.

    `share`: what it may take of the writer's time, as a multiple of the time that it then leaves alone; what takes long once, as while the database stalls, leaves no more
    than `every`. `anytime`: it needs no rollups, and is asked between them too.
    """
    if name in registered and registered[name].follow is not follow:
        raise RuntimeError(f"follower {name} is registered twice")
    registered[name] = Follower(name, follow, Pace(times=1 / share, least=every, most=math.inf), anytime)


def run(connection: Any, position: int, *, force: bool = False, anytime: bool = False) -> bool:
    """Call the followers that are due (only those that need no rollups with `anytime`); each knows itself what it has to do.

    A failing one is logged and called again; it holds up nobody. Returns whether blocks may have been added.
    """
    added = False
    for follower in registered.values():
        began = time.monotonic()
        if (began < follower.due and not force) or (anytime and not follower.anytime):
            continue
        try:
            added |= follower.follow(connection, position) is True
        except Exception:
            log.exception("lake.follower_failed", follower=follower.name)
            added = True
        ended = time.monotonic()
        follower.due = ended + follower.pace.rest(ended - began)
    return added
