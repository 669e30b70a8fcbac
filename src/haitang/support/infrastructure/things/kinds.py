"""Kinds of things: device (a type), things (those of a place)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from haitang.base.declarations import Declaration, Reference, SpanText, Text, Tunable, Word, kind

Statistic = Literal["instant", "minute mean", "hour mean", "day mean", "hour max", "day max", "hour min", "day min", "hour sum", "day sum"]


class Observed(BaseModel):
    """One property that a device observes.

    `hj212` is the factor code that carries it; a variant with a unit or meaning of its own is a property of its own: `w01018-Cou` (amount),
    `a21026-Zs` (converted), `Leq-Day`, `SB1-RS` (device state). A value outside `range` (what the device can measure) is stored as invalid.

    `path` is where it stands in the device's own JSON messages (`data.pm25`, positions of a list as numbers), as the first of `statistics`, or a
    path for each statistic; a number found there is multiplied by `scale`, then `offset` is added, to be in `unit`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text
    unit: str
    range: tuple[float, float] | None = None
    statistics: list[Statistic] = ["instant"]
    hj212: str | None = None
    path: str | dict[Statistic, str] | None = None
    scale: float = 1.0
    offset: float = 0.0
    digits: int = Field(default=1, ge=0, le=6)  # decimals shown


class Hj212(BaseModel):
    """How a device speaks HJ 212: the system code ST that its packets carry, and the minutes that its minute values (2051) cover."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: int
    minute_interval: Literal[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30] = 10


class Message(BaseModel):
    """How a device's own JSON messages read, by MQTT. Without it only Haitang's own form is understood.

    `each`: path of the list of readings (none: the message is one reading, or a list of them). `time`: path of a reading's time, the start of its period for
    means (none: the time of receipt); written as ISO 8601 (without zone: China's civil time) or as Unix seconds or milliseconds. `id`: path of the message's
    id: the same id again is stored once. `topic`: where the device publishes, if not to `things/{thing}/observations`; it contains `{thing}`, the thing's id.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    each: str | None = None
    time: str | None = None
    time_format: Literal["iso", "seconds", "milliseconds"] = "iso"
    id: str | None = None
    topic: str = Field(default="things/{thing}/observations", pattern=r"^[^+#]*\{thing\}[^+#]*$")


class Command(BaseModel):
    """A command that a device takes, with the titles of its parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text
    parameters: dict[Word, Text] = {}


@kind("device", title="设备类型", folder="devices")
class Device(Declaration):
    """A type of device: what it observes and how it speaks.

    `every`: how often it tells its instant values; where it says so, the share of them that came is shown on the health page.
    """

    title: Text
    observes: dict[Word, Observed]
    hj212: Hj212 | None = None
    message: Message | None = None
    commands: dict[Word, Command] = {}
    silent_after: Annotated[SpanText, Tunable("多久没有数据算失联")] = "90min"
    every: SpanText | None = None


@kind("thing", title="设备", folder="things", shape="table", where="place")
class Thing(Declaration):
    """One device of the place, seeded from the folder; from then on the database rules.

    Longitude and latitude in degrees, CGCS2000 (EPSG:4490). `mn` is the HJ 212 device number. `groups`: which groups it is in at first.
    """

    title: Text
    device: Annotated[str, Reference("device")]
    organization: Annotated[str, Reference("organization")]
    division: str
    longitude: float = Field(ge=-180, le=180)
    latitude: float = Field(ge=-90, le=90)
    mn: str | None = None
    password: str | None = None
    origin: Literal["live", "replay", "simulated"] = "live"  # everything it sends is marked so
    groups: list[Annotated[str, Reference("thing_group")]] = []


@kind("thing_group", title="设备分组", folder="thing_groups", shape="table", where="place")
class ThingGroup(Declaration):
    """Things that are looked after together, such as those of one maintenance contract or one river. Seeded from the folder; from then on the database rules."""

    title: Text
    note: str = ""
    organization: Annotated[str, Reference("organization")] | None = None
