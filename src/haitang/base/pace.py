"""How long to leave be what is done again and again, so that it takes no more than a share of the time."""

from dataclasses import dataclass


@dataclass
class Pace:
    """A rest `times` as long as the work took, within `least` and `most` seconds. Work that took long once, as when the database was away, does not count: only what takes
    long twice in a row takes long."""

    times: float
    least: float
    most: float
    _before: float = 0.0

    def rest(self, took: float) -> float:
        """Seconds until the next, after one that took so many."""
        usual, self._before = min(took, self._before), took
        return min(self.most, max(self.least, self.times * usual))
