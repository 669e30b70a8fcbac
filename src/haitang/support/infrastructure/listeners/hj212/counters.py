"""What the HJ 212 listener counts, and the unadmitted stations that knock; written to `run/hj212.json`."""

from datetime import datetime

from haitang.support.infrastructure.listeners import counters
from haitang.support.infrastructure.listeners.gate import COUNTED as TURNED
from haitang.support.infrastructure.things.listening import FILE

NAMES = (
    "connections", "received", "answered", "replies", "bad_crc", "broken", "unadmitted", "late", "set_aside", "published", "batches", "stream_waits",
    *TURNED,
)  # fmt: skip


class Counters(counters.Counters):
    """`received` packets = answered or wanting no answer + bad_crc + unadmitted + unreadable ones among broken + not yet stored."""

    def __init__(self) -> None:
        super().__init__(FILE, NAMES)

    def knock_of(self, mn: str, st: str, address: str, at: datetime) -> None:
        """Note a station that is not admitted."""
        self.knock(mn, address, at, st=st[:8])
