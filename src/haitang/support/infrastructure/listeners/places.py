"""Who holds a connection, by address: so many in all and so many from one."""

from collections import Counter

FULL, FULL_FOR_ADDRESS = "turned_away", "turned_away_address"


class Places:
    """`most` and `most_of_address`: connections; 0: no limit."""

    def __init__(self, most: int = 0, most_of_address: int = 0) -> None:
        self.most, self.most_of_address = most, most_of_address
        self._taken: Counter[str] = Counter()

    def enter(self, address: str) -> str:
        """Why a connection may not stay, "" where it is in: then it leaves once."""
        if self.most and self.total() >= self.most:
            return FULL
        if self.most_of_address and self.of(address) >= self.most_of_address:
            return FULL_FOR_ADDRESS
        self._taken[address] += 1
        return ""

    def leave(self, address: str) -> None:
        self._taken[address] -= 1
        if not self._taken[address]:
            del self._taken[address]

    def total(self) -> int:
        return self._taken.total()

    def of(self, address: str) -> int:
        return self._taken[address]
