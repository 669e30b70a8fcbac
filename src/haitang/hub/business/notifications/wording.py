"""What a notice says, in the reader's language: texts of the catalogue, and in their places data that may be such texts too."""

from collections.abc import Mapping
from typing import Any

from haitang.base.shell.words import phrase
from haitang.base.text import fill, translate


def said(text: str, data: Mapping[str, Any]) -> str:
    """`said("即将到期：{title}", {"title": "一号站：细颗粒物超标（500153-2026-000001）"})`; a text without data may itself be composed (`站：事`)."""
    return fill(translate(text), {name: _part(value) for name, value in data.items()}) if data else phrase(text)


def _part(value: Any) -> Any:
    return phrase(value) if isinstance(value, str) else value
