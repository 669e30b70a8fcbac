"""Declarations: what applications, places and platform rooms declare, checked, released and in force.

from haitang.base.declarations import in_force
rule = in_force().get(Rule, "pm2_5_exceeds")
"""

from haitang.base.declarations.in_force import Declarations, in_force, put_in_force, release_digest
from haitang.base.declarations.kinds import Kind, all_kinds, kind
from haitang.base.declarations.model import (
    Declaration,
    LimitText,
    Reference,
    SpanText,
    Text,
    Tunable,
    Word,
)

__all__ = [
    "Declaration",
    "Declarations",
    "Kind",
    "LimitText",
    "Reference",
    "SpanText",
    "Text",
    "Tunable",
    "Word",
    "all_kinds",
    "in_force",
    "kind",
    "put_in_force",
    "release_digest",
]
