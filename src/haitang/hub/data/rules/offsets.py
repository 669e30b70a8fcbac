"""Sets of sequence numbers as closed ranges.

One number would not do: after a lost connection the stream delivers older messages behind newer ones, and they must not be taken for known.
"""

from collections.abc import Iterable

Ranges = list[list[int]]


def contains(ranges: Ranges, seq: int) -> bool:
    return any(first <= seq <= last for first, last in reversed(ranges))


def add(ranges: Ranges, numbers: Iterable[int]) -> Ranges:
    """The ranges with more numbers in, merged."""
    merged: Ranges = []
    for first, last in sorted([*ranges, *([n, n] for n in numbers)]):
        if merged and first <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], last)
        else:
            merged.append([first, last])
    return merged
