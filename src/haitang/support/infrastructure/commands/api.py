"""JSON: what a thing may be told, what it was told, and what became of it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema
from ninja.responses import Status

from haitang.base.actions import acting
from haitang.support.infrastructure.commands import actions, protocols, queries
from haitang.support.infrastructure.commands.models import DeviceCommand
from haitang.support.infrastructure.things.queries import READ, get, get_for
from haitang.support.security.people.identity import actor, signed_in

router = Router(tags=["commands"], auth=signed_in)


class FieldOut(Schema):
    """One parameter; `kind` says what it takes: value, integer within `range`, choice of `range`, time, code."""

    name: str
    title: str
    kind: str
    range: list[int]
    optional: bool


class OfferOut(Schema):
    """A command that the thing may be given. `works`: it makes instruments act."""

    protocol: str
    name: str
    title: str
    works: bool
    fields: list[FieldOut]


class CommandOut(Schema):
    """One command; `state`: queued, sent, acknowledged, done, failed, expired or withdrawn. Times with zone."""

    id: UUID
    thing: str = Field(alias="thing_id")
    protocol: str
    name: str
    parameters: dict[str, Any]
    state: str
    reason: str
    answer: str
    tries: int
    packets: int
    issued_at: datetime
    issued_by: str
    expires_at: datetime
    sent_at: datetime | None
    acknowledged_at: datetime | None
    ended_at: datetime | None


class Part(Schema):
    limit: int = Field(default=100, ge=1, le=1000)
    offset: int = Field(default=0, ge=0, le=1_000_000)


class NewCommand(Schema):
    """`valid_for`: seconds in which the thing must take it."""

    name: str
    parameters: dict[str, Any] = {}
    valid_for: int = Field(default=86_400, ge=1, le=30 * 86_400)


@router.get("/things/{id}/commands/offered", response=list[OfferOut], summary="设备可以接收哪些指令")
def offered(request: HttpRequest, id: str) -> list[dict[str, Any]]:
    """By whatever protocols the thing speaks."""
    thing = get_for(actor(request), id, READ)
    return [
        {"protocol": way.id, "name": each.name, "title": each.title, "works": each.works, "fields": [vars(field) for field in each.fields]}
        for way, each in protocols.offers(thing)
    ]


@router.get("/things/{id}/commands", response=list[CommandOut], summary="设备的指令及其进展")
def commands(request: HttpRequest, id: str, wanted: Query[Part]) -> list[DeviceCommand]:
    """The newest first."""
    return list(queries.of(get_for(actor(request), id, READ))[wanted.offset : wanted.offset + wanted.limit])


@router.post("/things/{id}/commands", response={201: CommandOut}, summary="向设备下达指令")
def post_command(request: HttpRequest, id: str, body: NewCommand) -> Status[DeviceCommand]:
    """It is queued, and sent when the thing listens."""
    with acting(actor(request)) as act:
        made = actions.command(
            act=act, thing=get(id), name=body.name, parameters=body.parameters, valid_for=timedelta(seconds=body.valid_for)
        )
    return Status(201, made)


@router.get("/things/{id}/commands/{command}", response=CommandOut, summary="一条指令的进展")
def get_command(request: HttpRequest, id: str, command: str) -> DeviceCommand:
    return queries.get(get_for(actor(request), id, READ), command)


@router.post("/things/{id}/commands/{command}/withdraw", response=CommandOut, summary="撤回还没有发出的指令")
def post_withdraw(request: HttpRequest, id: str, command: str) -> DeviceCommand:
    thing = get(id)
    with acting(actor(request)) as act:
        actions.withdraw(act=act, command=queries.get(thing, command))
    return queries.get(thing, command)
