"""Writes of sources: a pull that became a run, a file that was taken, a password, a pause."""

from procrastinate.contrib.django import app

from haitang.base.actions import Act, action
from haitang.base.declarations import in_force
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather.actions import start
from haitang.hub.data.gather.incoming import Incoming
from haitang.hub.data.gather.kinds import Source
from haitang.hub.data.gather.sources.models import SourceState, TakenFile
from haitang.support.security.cryptography.stored import seal_text
from haitang.support.security.evidence.facts import Secret

ASK = "gather.ask"


@action("gather.pull", title="读取来源数据库")
def pulled(*, act: Act, source: Source, file: Incoming | None, rows: int, cursor: dict[str, str] | None) -> str:
    """Note a pull, with the cursor that the next one goes on from, and start the run of what it read; returns the run, if there is one."""
    state = _state(source)
    run = (
        start(act=act, resource=in_force().get(Resource, source.resource), file=file, source=source.id, load=load_of(source))
        if file
        else None
    )
    state.cursor, state.rows, state.error = cursor, rows, ""
    state.asked_at = state.done_at = act.at
    state.run = str(run.pk) if run else state.run
    state.save()
    act.record("source", source.id, {"rows": rows, "run": str(run.pk) if run else "", "cursor": Secret(cursor)})
    act.announce("gather", {"source": source.id, "rows": rows})
    return str(run.pk) if run else ""


def load_of(source: Source) -> str:
    """A database without a change column is read whole, so that what is gone from it is marked as removed."""
    return "full" if source.database and not source.database.cursor else source.load


@action("gather.source_failed", title="来源读取失败")
def failed(*, act: Act, source: Source, why: str) -> None:
    """Note that a source could not be read; what it gave before stays, and the next attempt goes on from there."""
    state = _state(source)
    state.asked_at, state.error = act.at, why[:1000]
    state.save()
    act.record("source", source.id, {"failed": True})
    act.announce("gather", {"source": source.id, "failed": True})


@action("gather.take_file", title="采集目录中的文件")
def take(*, act: Act, source: Source, sighting: TakenFile, file: Incoming | None, digest: str) -> TakenFile:
    """Start the run of a file, or note that its content was taken before."""
    sighting.digest, sighting.error = digest, ""
    if file is None:
        sighting.state = TakenFile.State.REPEATED
    else:
        run = start(act=act, resource=in_force().get(Resource, source.resource), file=file, source=source.id)
        sighting.state, sighting.run = TakenFile.State.TAKEN, str(run.pk)
    sighting.save()
    state = _state(source)
    state.asked_at = state.done_at = act.at
    state.run, state.error = sighting.run or state.run, ""
    state.save()
    act.record("source", source.id, {"file": Secret(sighting.name), "digest": digest, "state": str(sighting.state)})
    return sighting


@action("gather.refuse_file", title="目录中的文件无法采集")
def refuse(*, act: Act, source: Source, sighting: TakenFile, why: str) -> None:
    """Note that a file cannot be taken. It stays where it is, and is tried again once it changes."""
    sighting.state, sighting.error = TakenFile.State.FAILED, why[:1000]
    sighting.save()
    act.record("source", source.id, {"file": Secret(sighting.name), "failed": True})


@action("gather.set_password", title="填写来源口令")
def set_password(*, act: Act, source: Source, password: str) -> None:
    """Keep the password of a source's database, sealed; an empty one is forgotten."""
    state = _state(source)
    state.password = seal_text(password, secret_of(source.id)) if password else ""
    state.save()
    act.record("source", source.id, {"password": Secret(password)})


def secret_of(id: str) -> str:
    return f"source {id}"


@action("gather.ask_source", title="立即读取来源")
def ask(*, act: Act, source: Source) -> None:
    """Have the worker ask a source as soon as the transaction commits, whether it is due or not."""
    app.configure_task(ASK).defer(id=source.id)
    act.record("source", source.id, {"asked": True})


@action("gather.pause_source", title="暂停或恢复来源")
def pause(*, act: Act, source: Source, paused: bool) -> None:
    """Stop asking a source, or ask it again."""
    state = _state(source)
    state.paused = paused
    state.save()
    act.record("source", source.id, {"paused": paused})


@action("gather.forget_cursor", title="清除来源读取位置")
def forget_cursor(*, act: Act, source: Source) -> None:
    """Let the next pull read everything."""
    state = _state(source)
    state.cursor = None
    state.save()
    act.record("source", source.id, {"cursor": None})


def _state(source: Source) -> SourceState:
    found, _ = SourceState.objects.select_for_update().get_or_create(pk=source.id)
    return found
