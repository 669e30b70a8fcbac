"""What a device may be told by MQTT: the commands that its type declares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.support.infrastructure.commands.protocols import Field
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import Thing

UNKNOWN_PARAMETER = error("commands.unknown_parameter", 400, "指令“{name}”没有参数“{parameter}”。")


@dataclass(frozen=True)
class Declared:
    """One command of a device's type."""

    name: str
    title: str
    fields: tuple[Field, ...]
    works: bool = False

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """As they were given: the device judges them. Raises UNKNOWN_PARAMETER."""
        known = {field.name for field in self.fields}
        for each in given:
            if each not in known:
                raise UNKNOWN_PARAMETER(name=self.title, parameter=each)
        return dict(given)


class Mqtt:
    """The protocol, as it plugs into the commands of things."""

    id, title, once = "mqtt", "MQTT", False

    def offers(self, thing: Thing) -> Sequence[Declared]:
        device = in_force().all(Device).get(thing.device)
        declared = device.commands if device else {}
        return [
            Declared(name, each.title, tuple(Field(key, title, optional=True) for key, title in each.parameters.items()))
            for name, each in declared.items()
        ]
