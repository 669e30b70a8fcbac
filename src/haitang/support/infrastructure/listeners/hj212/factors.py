"""The factor codes of HJ 212-2017, appendix B, with the codes that stations of 2005 send for them.

`factors.csv` holds code, name, the unit that the table prints and the old code. The unit is for people to read only: air stations send ug/m3 where the table
prints mg/m3 (and ng/m3 by an obvious misprint), so units come from the device's declaration.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Factor:
    """One row of the table."""

    code: str
    name: str
    unit: str
    old_code: str


@cache
def table() -> dict[str, Factor]:
    """The table by lower-case code."""
    with (Path(__file__).parent / "factors.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"].lower(): Factor(**row) for row in csv.DictReader(file)}


def old_names(codes: Iterable[str]) -> dict[str, str]:
    """Lower-case old code -> one of `codes` (lower case), where exactly one of them has it: `02` is SO2 at a stack and nothing at a river."""
    found: dict[str, list[str]] = {}
    for code in codes:
        factor = table().get(code)
        if factor and factor.old_code:
            found.setdefault(factor.old_code.lower(), []).append(code)
    return {old: names[0] for old, names in found.items() if len(names) == 1}
