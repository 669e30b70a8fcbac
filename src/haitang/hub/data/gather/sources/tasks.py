"""Every minute: look into watched folders, ask databases that are due."""

import structlog
from procrastinate.contrib.django import app

from haitang.base import clock
from haitang.base.errors import HaitangError
from haitang.base.text import CHINESE, sentence_of
from haitang.hub.data.gather.kinds import Source
from haitang.hub.data.gather.sources.actions import ASK
from haitang.hub.data.gather.sources.pulling import ACTOR, note, pull
from haitang.hub.data.gather.sources.queries import asked_sources, source_of, state_of
from haitang.hub.data.gather.sources.schedule import is_due
from haitang.hub.data.gather.sources.watching import look
from haitang.support.standards.queries import calendar_in_force

log = structlog.get_logger()


@app.periodic(cron="* * * * *")
@app.task(name="gather.look", queueing_lock="gather.look")
def look_around(timestamp: int) -> None:
    """One source that fails keeps no other from being asked."""
    for source in asked_sources():
        attempt(source)


@app.task(name=ASK)
def ask(id: str) -> None:
    """A person asked for this source now."""
    attempt(source_of(id), now=True)


def attempt(source: Source, now: bool = False) -> None:
    """Ask one source if it is due; what goes wrong is noted on it."""
    state = state_of(source.id)
    if state.paused and not now:
        return
    try:
        if source.folder:
            look(source)
            if state.error:
                _clear(source)
        elif now or is_due(source, state.asked_at, clock.now(), calendar_in_force()):
            pull(source)
    except HaitangError as failure:
        if source.folder and sentence_of(failure, CHINESE) != state.error:
            note(source, ACTOR, sentence_of(failure, CHINESE))
    except Exception as failure:
        log.exception("gather.source", source=source.id)
        note(source, ACTOR, f"{type(failure).__name__}")


def _clear(source: Source) -> None:
    """The folder is there again."""
    state = state_of(source.id)
    state.error = ""
    state.save(update_fields=["error"])
