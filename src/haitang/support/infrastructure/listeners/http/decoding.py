"""A message's JSON to elements: all at once where it is as agreed, one by one where it is not, so that each bad one is named and the rest is taken."""

import re
from dataclasses import dataclass, field

import msgspec

from haitang.base.errors import error
from haitang.base.text import T
from haitang.support.infrastructure.listeners.elements import Element, Refused

MOST = 10_000  # elements of one message
TOO_MANY = error("http.too_many", 413, "一条消息最多 {most} 个观测值，收到 {count} 个，请分批发送。")
NOT_JSON = error("http.not_json", 400, "请求体不是 JSON：{reason}")
NOT_AS_AGREED = error("http.not_a_message", 422, "请求体须为观测值数组，或含 observations 数组的对象：{reason}")


class Envelope(msgspec.Struct, forbid_unknown_fields=True):
    """A message with its id inside."""

    observations: list[Element]
    id: str = ""


class RawEnvelope(msgspec.Struct, forbid_unknown_fields=True):
    observations: list[msgspec.Raw]
    id: str = ""


@dataclass
class Message:
    """`positions`: where each element stood; None where none is missing."""

    elements: list[Element]
    id: str = ""
    refused: list[Refused] = field(default_factory=list)
    positions: list[int] | None = None


_elements, _envelope = msgspec.json.Decoder(list[Element]), msgspec.json.Decoder(Envelope)
_raw_elements, _raw_envelope = msgspec.json.Decoder(list[msgspec.Raw]), msgspec.json.Decoder(RawEnvelope)
_element = msgspec.json.Decoder(Element)
_PLACE = re.compile(r"(.*) - at `\$\.?(.*)`\Z", re.DOTALL)


def decode(body: bytes) -> Message:
    """Raises NOT_JSON, NOT_AS_AGREED, TOO_MANY."""
    wrapped = body.lstrip()[:1] == b"{"
    try:
        message = _whole(body, wrapped)
    except msgspec.ValidationError:
        message = _one_by_one(body, wrapped)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as reason:
        raise NOT_JSON(reason=str(reason)[:200]) from None
    count = len(message.elements) + len(message.refused)
    if count > MOST:
        raise TOO_MANY(most=MOST, count=count)
    return message


def _whole(body: bytes, wrapped: bool) -> Message:
    if wrapped:
        found = _envelope.decode(body)
        return Message(found.observations, found.id)
    return Message(_elements.decode(body))


def _one_by_one(body: bytes, wrapped: bool) -> Message:
    try:
        id, raws = "", list[msgspec.Raw]()
        if wrapped:
            found = _raw_envelope.decode(body)
            id, raws = found.id, found.observations
        else:
            raws = _raw_elements.decode(body)
    except msgspec.ValidationError as reason:
        raise NOT_AS_AGREED(reason=str(reason)[:200]) from None
    message = Message([], id, positions=[])
    assert message.positions is not None
    for index, raw in enumerate(raws[: MOST + 1]):
        try:
            message.elements.append(_element.decode(raw))
            message.positions.append(index)
        except (msgspec.DecodeError, RecursionError) as reason:
            message.refused.append(_refused(index, str(reason)))
    return message


def _refused(index: int, reason: str) -> Refused:
    found = _PLACE.match(reason)
    what, path = (found[1], found[2]) if found else (reason, "")
    return Refused(
        index,
        path,
        "not_as_agreed",
        T("内容与约定不符：{reason}"),
        T("按接口说明改正这一项后，换一个消息编号重新发送"),
        {"reason": what[:200]},
    )
