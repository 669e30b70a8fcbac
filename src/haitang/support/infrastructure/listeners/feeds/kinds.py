"""Kinds of feeds: an outside MQTT broker that a place subscribes to."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from haitang.base.declarations import Declaration, Text, kind


def _filter(told: str) -> str:
    if told.split("/").count("{thing}") != 1 or any(
        wild in level and level not in ("+", "#") for level in told.split("/") for wild in "+#"
    ):
        raise ValueError(f"{told!r}: write a topic filter with {{thing}} as one of its levels, such as sensors/{{thing}}/up")
    if "#" in told.split("/")[:-1]:
        raise ValueError(f"{told!r}: # stands only at the end")
    return told


class Topic(BaseModel):
    """What is subscribed to. `{thing}` in the filter is the level that names the device; `prefix` before that name makes it a thing's id here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    filter: Annotated[str, AfterValidator(_filter)]
    prefix: str = Field(default="", pattern=r"^[A-Za-z0-9_-]*$")


@kind("feed", title="外部消息源", folder="feeds", where="place")
class Feed(Declaration):
    """An outside broker. What a device's messages mean is said by the type of the thing that they are about; things that are not registered are set aside.

    The password stands in the file `keys/feed-<id>` of the data directory, never in a declaration. `qos` 1: the broker keeps a message until it is durable here.
    """

    title: Text
    host: str
    port: int = Field(default=1883, ge=1, le=65535)
    version: Literal["3.1.1", "5"] = "5"
    tls: bool = False  # checked against the certificates that this machine trusts
    username: str | None = None
    topics: list[Topic] = Field(min_length=1)
    qos: Literal[0, 1, 2] = 1
