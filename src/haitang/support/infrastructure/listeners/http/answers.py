"""What is said to a message by HTTP. The OpenAPI description is made from these."""

import msgspec

from haitang.base.errors import HaitangError
from haitang.base.text import sentence_of, translate
from haitang.support.infrastructure.listeners.elements import Refused


class Stored(msgspec.Struct):
    """All of it is durable. `id`: by which the message is known; `stored`: how many observations."""

    id: str
    stored: int


class Sentences(msgspec.Struct):
    what: str
    mend: str


class RefusedElement(msgspec.Struct):
    """One that is not taken: where it stood in the array, which key, a code for programs, what is wrong and how to mend it (zh-Hans; the same in `english`)."""

    index: int
    path: str
    code: str
    what: str
    mend: str
    english: Sentences


class PartlyStored(msgspec.Struct):
    """The elements that are not named in `refused` are durable: do not send those again."""

    id: str
    stored: int
    refused: list[RefusedElement]


class Problem(msgspec.Struct):
    """Nothing of the message is stored (429, 503: it is not known; send the same again). `error` is for programs."""

    error: str
    message: str
    english: str


def said(id: str, stored: int, refused: list[Refused]) -> Stored | PartlyStored:
    """Sentences stand in both languages, because the answer is remembered whole."""
    return PartlyStored(id, stored, [_element(each) for each in refused]) if refused else Stored(id, stored)


def _element(each: Refused) -> RefusedElement:
    what, mend = ({language: translate(text, language, **each.data) for language in ("zh-hans", "en")} for text in (each.what, each.mend))
    return RefusedElement(each.index, each.path, each.code, what["zh-hans"], mend["zh-hans"], Sentences(what["en"], mend["en"]))


def problem(failure: HaitangError) -> Problem:
    return Problem(failure.code, sentence_of(failure, "zh-hans"), sentence_of(failure, "en"))
