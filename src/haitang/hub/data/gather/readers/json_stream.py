"""Records of a JSON text one after the other, without holding the whole: each with the text that it was read from."""

import codecs
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haitang.hub.data.gather import faults
from haitang.hub.data.gather.readers.opened import Opened

WHOLE = 64 << 20  # bytes of a JSON that is no array and is read at once
_BLOCK = 1 << 18
_LONGEST = 32 << 20  # characters of one record
_MOST_DEEP = 4
_SPACE = " \t\r\n"
_decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


@dataclass(frozen=True)
class Record:
    """A value and its text; or why there is no value."""

    value: Any
    text: str = ""
    reason: str = ""


class Stream:
    """A text that is read on as it is needed."""

    def __init__(self, file: Opened, decoder: codecs.IncrementalDecoder) -> None:
        self._file, self._decode = file, decoder.decode
        self._text, self._at, self._line, self._ended = "", 0, 1, False

    def _more(self) -> bool:
        """Read on, drop what is behind; False at the end."""
        if self._ended:
            return False
        block = self._file.read(_BLOCK)
        self._ended = not block
        self._line += self._text.count("\n", 0, self._at)
        self._text, self._at = self._text[self._at :] + self._decode(block, self._ended), 0
        if len(self._text) > _LONGEST:
            raise self._wrong(f"一条记录超过 {_LONGEST >> 20} MB")
        return True

    def _wrong(self, why: str) -> Exception:
        return faults.NOT_JSON(line=self._line + self._text.count("\n", 0, self._at), why=why)

    def peek(self) -> str:
        """The next character that is no white space, an empty text at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def _expect(self, character: str) -> None:
        found = self.peek()
        if found != character:
            raise self._wrong(f"这里应为 {character}，而是 {found or '文件结尾'}")
        self._at += 1

    def value(self) -> Record:
        """The next value. A number or word is only taken when something stands behind it."""
        self.peek()
        while True:
            try:
                value, end = _decoder.raw_decode(self._text, self._at)
                if end < len(self._text) or self._ended or self._text[end - 1] in '}]"':
                    text = self._text[self._at : end]
                    self._at = end
                    return Record(value, text)
            except json.JSONDecodeError as failure:
                if self._ended:
                    raise self._wrong(failure.msg) from failure
            except RecursionError as failure:
                raise self._wrong("嵌套太深") from failure
            self._read_on()

    def _read_on(self) -> None:
        """Twice as much as is held: a long value is not decoded anew for each block."""
        wanted = 2 * (len(self._text) - self._at)
        while self._more() and len(self._text) < wanted:
            pass

    def array(self) -> Iterator[Record]:
        """Elements of the array that begins here."""
        self._expect("[")
        if self.peek() == "]":
            return
        while True:
            yield self.value()
            if self.peek() == "]":
                return
            self._expect(",")

    def array_at(self, path: Sequence[str]) -> Iterator[Record]:
        """Elements of the array at a path of keys; what stands before it is passed over."""
        for n, key in enumerate(path):
            self._expect("{")
            while True:
                if self.peek() == "}":
                    raise faults.NO_RECORDS(path=".".join(path[: n + 1]))
                name = self.value().value
                self._expect(":")
                if name == key:
                    break
                self.value()
                if self.peek() == ",":
                    self._at += 1
        if self.peek() != "[":
            raise faults.NO_RECORDS(path=".".join(path))
        return self.array()

    def is_lines(self) -> bool:
        """Whether one object a line: the first line is an object, and another one begins the next."""
        self._read_on()
        try:
            value, end = _decoder.raw_decode(self._text, self._at)
        except (json.JSONDecodeError, RecursionError):
            first, _, rest = self._text[self._at :].partition("\n")
            return rest.lstrip().startswith("{") and first.rstrip().endswith("}")
        rest = self._text[end:]
        first_line = "\n" not in self._text[self._at : end]
        alone = self._ended and not rest.strip() and not any(_arrays(value, 0))
        return isinstance(value, dict) and first_line and (alone or rest.lstrip(_SPACE).startswith("{"))

    def lines(self) -> Iterator[Record]:
        """One record a line; a line that is no JSON is broken, the next is read all the same."""
        while self.peek():
            while (end := self._text.find("\n", self._at)) < 0 and self._more():
                pass
            line = self._text[self._at : end if end >= 0 else len(self._text)].strip()
            self._at = end + 1 if end >= 0 else len(self._text)
            try:
                yield Record(_decoder.decode(line), line)
            except (json.JSONDecodeError, RecursionError):
                yield Record(None, line, faults.NOT_RECORD)

    def whole(self, limit: int) -> Any:
        """The whole text as one value."""
        while self._more():
            if len(self._text) > limit:
                raise faults.JSON_TOO_LARGE(limit=limit >> 20)
        value = self.value()
        if self.peek():
            raise self._wrong("后面还有内容")
        return value.value


def records_within(whole: Any, path: str | None) -> Iterator[Record]:
    """Records of a value: those of its one array of objects; or of an object whose values are all arrays, with their key as `分组`."""
    if isinstance(whole, dict) and whole and all(_is_records(value) for value in whole.values()) and (path == "*" or len(whole) > 1):
        return (
            Record({"分组": key, **record} if isinstance(record, dict) else record) for key, records in whole.items() for record in records
        )
    found = list(_arrays(whole, 0))
    if not found:
        raise faults.NO_RECORDS(path=path or "")
    if len(found) > 1:
        raise faults.NO_RECORDS(path="、".join(".".join(keys) for keys, _ in found[:10]))
    return (Record(record) for record in found[0][1])


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(element, dict) for element in value)


def _arrays(value: Any, depth: int, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Arrays of objects within objects, with their paths."""
    if isinstance(value, list) and value and _is_records(value):
        yield keys, value
    elif isinstance(value, dict) and depth < _MOST_DEEP:
        for key, part in value.items():
            yield from _arrays(part, depth + 1, (*keys, str(key)))


def inside(record: Mapping[str, Any], before: str = "", depth: int = 0) -> dict[str, str | None]:
    """A record as texts by dotted names."""
    flat: dict[str, str | None] = {}
    for key, value in record.items():
        name = before + str(key)
        if isinstance(value, dict) and value and depth < _MOST_DEEP:
            flat |= inside(value, name + ".", depth + 1)
        else:
            flat[name] = _text(value)
    return flat


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(_unquoted(value), ensure_ascii=False)


def _unquoted(value: Any) -> Any:
    """Numbers were kept as text; within an array they look like numbers again where they can."""
    if isinstance(value, list):
        return [_unquoted(element) for element in value]
    return {key: _unquoted(part) for key, part in value.items()} if isinstance(value, dict) else value
