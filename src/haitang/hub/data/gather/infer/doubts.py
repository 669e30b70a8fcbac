"""What a person should look at in a proposal, as it is kept with it and said in the language of whoever reads it."""

from collections.abc import Iterable, Mapping
from typing import Any

from haitang.base.text import Saying, translate


def kept(doubts: Iterable[Saying]) -> list[dict[str, Any]]:
    """As they stand in a database."""
    return [{"says": doubt.says, "values": dict(doubt.values)} for doubt in doubts]


def said(doubts: Iterable[Mapping[str, Any] | str], language: str | None = None) -> list[str]:
    """Kept doubts in a language, the reader's unless told. Those of before sayings were kept are plain zh-Hans."""
    return [each if isinstance(each, str) else translate(each["says"], language, **each["values"]) for each in doubts]
