"""The words that a condition of a procedure may ask about besides `answers`.

    word("case.severity", title="案件级别", choices=("notice", "warning", "serious", "critical"))

The room whose subjects they are about registers them in its `kinds.py` and gives their values when a run starts, or with a remark; so they stand in the log.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Asked:
    """A word that conditions may ask about: yes-or-no words stand alone, texts with choices are compared with one of them."""

    name: str
    title: str
    type: Literal["text", "yes or no"] = "text"
    choices: tuple[str, ...] = ()


words: dict[str, Asked] = {}


def word(name: str, *, title: str, type: Literal["text", "yes or no"] = "text", choices: tuple[str, ...] = ()) -> Asked:
    """Register a word such as `case.severity`."""
    words[name] = Asked(name, title, type, choices)
    return words[name]
