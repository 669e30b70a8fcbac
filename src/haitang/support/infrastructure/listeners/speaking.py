"""The inverse of `messages`: observations as a device of a declared type would write them in its own JSON, so that a replay goes through the same mapping."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from haitang.base.clock import CHINA
from haitang.base.errors import error
from haitang.support.infrastructure.listeners.known import Field, Meaning
from haitang.support.infrastructure.things.kinds import Device, Message

NOT_INVERTIBLE = error("listeners.not_invertible", 422, "设备类型“{device}”的报文无法由观测值反推：{why}。可改用 --via http 回放。")
HOUR = 3_600_000_000  # microseconds


def speakable(device: Device) -> dict[str, Field]:
    """Property -> where its hourly mean stands in the device's message (else its instant value); raises NOT_INVERTIBLE.

    A message without a time is taken as of its receipt, so that nothing earlier can be played by it; a value scaled by 0, or that stands inside another
    one or inside the time, cannot be written.
    """
    message, meaning = device.message, Meaning.of(device)
    assert message is not None
    if message.time is None:
        raise NOT_INVERTIBLE(device=device.id, why="报文里没有时间（message.time），按收到的时间入库")
    found: dict[str, Field] = {}
    for each in meaning.fields:
        hourly = (each.kind.statistic, each.kind.length) == ("mean", HOUR)
        if hourly or (each.kind.statistic == "instant" and each.property not in found):
            found[each.property] = each
    if not found:
        raise NOT_INVERTIBLE(device=device.id, why="没有小时均值或瞬时值的 path")
    if flat := [name for name, each in found.items() if not each.scale]:
        raise NOT_INVERTIBLE(device=device.id, why=f"{'、'.join(flat)} 的 scale 为 0")
    _refuse_overlap(device, message, [each.path for each in found.values()])
    return found


def _refuse_overlap(device: Device, message: Message, paths: Sequence[tuple[str, ...]]) -> None:
    all_paths = [*paths, tuple(str(message.time).split("."))]
    for n, path in enumerate(all_paths):
        for other in all_paths[n + 1 :]:
            shorter = min(len(path), len(other))
            if path[:shorter] == other[:shorter]:
                raise NOT_INVERTIBLE(device=device.id, why=f"{'.'.join(path)} 与 {'.'.join(other)} 在同一位置")


def spoken(device: Device, start: datetime, values: Mapping[str, float], id: str) -> bytes:
    """The values of the hour that begins at `start` as one message of the device."""
    message, fields = device.message, speakable(device)
    assert message is not None
    reading: dict[str, Any] = {}
    _put(reading, str(message.time), _written(start, message))
    for name, value in values.items():
        if name in fields:
            _put(reading, ".".join(fields[name].path), (value - fields[name].offset) / fields[name].scale)
    told: dict[str, Any] = reading
    if message.each:
        told = {}
        _put(told, message.each, [reading])
    if message.id:
        _put(told, message.id, id)
    return json.dumps(told).encode()


def _written(start: datetime, message: Message) -> str | int:
    if message.time_format == "iso":
        return start.astimezone(CHINA).isoformat()
    return round(start.timestamp() * (1 if message.time_format == "seconds" else 1000))


def _put(told: dict[str, Any], path: str, value: Any) -> None:
    """Positions of a list become keys, which the mapping reads alike."""
    *before, last = path.split(".")
    for step in before:
        told = told.setdefault(step, {})
    told[last] = value
