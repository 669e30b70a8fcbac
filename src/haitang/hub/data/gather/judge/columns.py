"""Which heading of a file carries which field."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from haitang.base.errors import error
from haitang.hub.data.catalogue.kinds import Resource, ResourceField

MISSING_COLUMNS = error(
    "gather.missing_columns",
    422,
    "文件里没有找到必填字段的列：{fields}。文件的列：{headings}。请核对文件，或在来源的 columns 中写明对应关系。",
)
Headings = Mapping[str, str | Sequence[str]]  # field -> heading, or two for a point: longitude, latitude

_NOISE = re.compile(r"[\s*＊:：]+")
_WIDE = {0xFF01 + n: 0x21 + n for n in range(94)}
_LONGITUDE, _LATITUDE = ("经度", "longitude", "lng", "lon"), ("纬度", "latitude", "lat")


def plain(heading: str) -> str:
    """A heading as it is compared: half-width, lower case, without spaces, stars and colons."""
    return _NOISE.sub("", heading.translate(_WIDE)).lower()


def match(resource: Resource, headings: Sequence[str], given: Headings | None = None) -> dict[str, str | list[str]]:
    """Field -> its heading in the file: as given, else by id, title and `also`. Fields without a column are left out."""
    known = {plain(heading): heading for heading in reversed(headings)}
    found: dict[str, str | list[str]] = {}
    for name, field in resource.fields.items():
        chosen = (given or {}).get(name)
        if isinstance(chosen, str) and chosen in headings:
            found[name] = chosen
        elif chosen is not None and not isinstance(chosen, str) and all(each in headings for each in chosen):
            found[name] = list(chosen)
        elif hit := _by_name(name, field, known):
            found[name] = hit
    return found


def _by_name(name: str, field: ResourceField, known: Mapping[str, str]) -> str | list[str] | None:
    for word in (name, field.title, *field.also):
        if heading := known.get(plain(word)):
            return heading
    if field.type == "point":
        pair = [
            _first(known, [f"{stem}{end}" for stem in (name + "_", field.title, "") for end in ends]) for ends in (_LONGITUDE, _LATITUDE)
        ]
        if all(pair):
            return [each for each in pair if each]
    return None


def _first(known: Mapping[str, str], words: Iterable[str]) -> str | None:
    return next((known[plain(word)] for word in words if plain(word) in known), None)


def refuse_missing(resource: Resource, columns: Headings, headings: Sequence[str]) -> None:
    """Raise MISSING_COLUMNS when a field that every row must have has no column."""
    lacking = [field.title for name, field in resource.fields.items() if (field.required or name in resource.key) and name not in columns]
    if lacking:
        raise MISSING_COLUMNS(fields="、".join(lacking), headings="、".join(headings[:40]))


def digest(headings: Iterable[str]) -> str:
    """Names a set of headings."""
    return hashlib.sha256("\n".join(sorted(plain(h) for h in headings)).encode()).hexdigest()
