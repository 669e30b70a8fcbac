"""Scales of standards: classes with their exact colours (the colours themselves stand in the styles, under the same names)."""

from bisect import bisect_left
from dataclasses import dataclass

from haitang.base.text import T


@dataclass(frozen=True)
class Scale:
    """`bounds` are the upper ends of all classes but the last; `words` names every class."""

    name: str
    title: str
    bounds: tuple[float, ...]
    words: tuple[str, ...]

    def _class(self, value: float) -> int:
        return bisect_left(self.bounds, value)

    def css(self, value: float) -> str:
        return f"{self.name}-{self._class(value) + 1}"

    def word(self, value: float) -> str:
        return self.words[self._class(value)]

    @property
    def legend(self) -> list[dict[str, str]]:
        lows = (0.0, *(bound + 1 for bound in self.bounds))
        ends = [f"{low:.0f}–{high:.0f}" for low, high in zip(lows, self.bounds, strict=False)] + [f"> {self.bounds[-1]:.0f}"]
        return [
            {"className": f"thing {self.name}-{n + 1}", "mark": "", "title": word, "range": ends[n]} for n, word in enumerate(self.words)
        ]


# HJ 633, table of classes; the 2012 and the 2026 edition have the same bounds, words and colours.
AQI = Scale(
    "aqi", T("空气质量指数"), (50, 100, 150, 200, 300), (T("优"), T("良"), T("轻度污染"), T("中度污染"), T("重度污染"), T("严重污染"))
)


def scale_of(column: str | None) -> Scale | None:
    """The scale whose name a column has."""
    return {"aqi": AQI}.get(column or "")
