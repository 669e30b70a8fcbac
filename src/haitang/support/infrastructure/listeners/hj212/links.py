"""Which stations are connected, and how each is spoken to."""

import asyncio
from dataclasses import dataclass

from haitang.support.infrastructure.listeners.hj212 import crypto
from haitang.support.infrastructure.listeners.hj212.packet import Packet, compose, framed
from haitang.support.infrastructure.listeners.hj212.sources import Source

INTERACTION = "91"
_2025 = 2


@dataclass(frozen=True)
class Link:
    """A station's connection, and what its last packet told: system code, password, version of its Flag."""

    transport: asyncio.Transport
    source: Source
    st: str
    pw: str
    version: int
    last: tuple[str, str, int | None]  # ST, PW and Flag as they were told

    def request(self, *, cn: str, cp: str, qn: str, resent: bool) -> bytes:
        """A request of ours on the wire: an answer is wanted; what the edition of 2025 has encrypted is, where the station has a key."""
        pw = self.source.password or self.pw
        flag = self.version << 2 | 1
        segment = compose(st=self.st, cn=cn, mn=self.source.mn, pw=pw, qn=qn, flag=flag, cp=cp, resent=resent and self.version >= _2025)
        plain = framed(segment)
        if self.source.key is None or self.version < _2025 or not (cn.startswith("2") or cn in ("1014", "3020")):
            return plain
        return plain[:6] + crypto.conceal(segment, self.source.key) + plain[-6:]


class Links:
    """The connections by MN; a station that connects twice is spoken to where it spoke last."""

    def __init__(self) -> None:
        self._by_mn: dict[str, Link] = {}

    def heard(self, packet: Packet, source: Source, transport: asyncio.Transport) -> None:
        """Note who speaks on this connection."""
        before = self._by_mn.get(packet.mn)
        if before and before.transport is transport and before.source is source and before.last == (packet.st, packet.pw, packet.flag):
            return
        st = packet.st if packet.st != INTERACTION else before.st if before else source.meanings.system or INTERACTION
        version = packet.version if packet.flag is not None else 1
        self._by_mn[packet.mn] = Link(transport, source, st, packet.pw, version, (packet.st, packet.pw, packet.flag))

    def ended(self, transport: asyncio.Transport) -> None:
        self._by_mn = {mn: link for mn, link in self._by_mn.items() if link.transport is not transport}

    def may_receive(self, mn: str) -> bool:
        """Whether policies let the station be given commands, as it was known when it last spoke."""
        link = self._by_mn.get(mn)
        return link is not None and link.source.rights.receive

    def get(self, mn: str) -> Link | None:
        link = self._by_mn.get(mn)
        return link if link and not link.transport.is_closing() else None

    def connected(self) -> dict[str, str]:
        """MN -> thing of the stations that are there."""
        return {mn: link.source.thing for mn, link in self._by_mn.items() if self.get(mn)}
