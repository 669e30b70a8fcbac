"""A data segment, read.

    QN=...;ST=..;CN=....;PW=......;MN=...;Flag=.;[PNUM=..;PNO=..;][RF=1;]CP=&&key=value;code-Suffix=value,code-Suffix=value&&

Names are compared without regard to case (the standard's own examples write `Overtime` and `OverTime`). A packet of 2005 may lack QN and Flag.
`MN` is taken as it comes: wild ones have 7 to 27 characters, lower case and underscores.
"""

import hashlib
import re
from functools import cached_property

import msgspec

from haitang.support.infrastructure.listeners.hj212.crc import written

_CP = re.compile(r"CP=&&(.*)&&\s*\Z", re.IGNORECASE | re.DOTALL)
_HEADER = re.compile(r"(\w+)=([^;,]*)")
_PAIR = re.compile(r"([^=;,]+)=([^;,]*)")
_BETWEEN = re.compile(r"[;,](?=[^;,=/]+=)")
# What nearly every packet looks like, read at one go; all else is read name by name, with the same outcome.
_USUAL = re.compile(
    r"QN=([^;,&]*);ST=([^;,&]*);CN=([^;,&]*);PW=([^;,&]*);MN=([^;,&]*);Flag=([^;,&]*);(?:PNUM=(\d+);PNO=(\d+);)?CP=&&(.*)&&\s*\Z", re.DOTALL
)
EDITIONS = {0: "2005", 1: "2017", 2: "2025"}


class UnreadablePacketError(ValueError):
    """The segment lacks MN or CN, or is not text: nobody can be answered."""


class Packet(msgspec.Struct, frozen=True, dict=True):
    """One packet. `values` are the items of CP without suffix, by lower-case name; `factors` the rest: code as written -> lower-case suffix -> value."""

    st: str
    cn: str
    mn: str
    pw: str = ""
    qn: str = ""
    flag: int | None = None
    pnum: int | None = None
    pno: int | None = None
    resent: bool = False
    cp: str = ""
    values: dict[str, str] = {}
    factors: dict[str, dict[str, str]] = {}

    @property
    def wants_answer(self) -> bool:
        """Bit A of Flag; a packet of 2005 without Flag wants none."""
        return bool((self.flag or 0) & 1)

    @property
    def version(self) -> int:
        """The version bits as sent. Stations of 2020 were seen to say 2 (2025): good for the answer's own Flag, not for judging the content."""
        return (self.flag or 0) >> 2

    @property
    def edition(self) -> str:
        return EDITIONS.get(self.version, "2017")

    @cached_property
    def ref(self) -> str:
        """The same for a packet sent again: station, QN (or a digest where there is none), command and number of the part."""
        told = self.qn or hashlib.sha256(self.cp.encode()).hexdigest()[:16]
        part = f":{self.pno}" if self.pno is not None else ""
        return f"hj212:{self.mn}:{told}:{self.cn}{part}"


def parse(segment: bytes) -> Packet:
    """Read a segment whose checksum holds; raises UnreadablePacketError."""
    text = _text(segment)
    if usual := _USUAL.match(text):
        qn, st, cn, pw, mn, flag, pnum, pno, cp = usual.groups()
        if mn.strip() and cn.isdigit() and qn.strip():
            values, factors = read_cp(cp)
            return Packet(
                st.strip(),
                cn,
                mn.strip(),
                pw.strip(),
                qn.strip(),
                _number(flag.strip()),
                _number(pnum),
                _number(pno),
                False,
                cp,
                values,
                factors,
            )
    content = _CP.search(text)
    header = {name.lower(): value.strip() for name, value in _HEADER.findall(text[: content.start()] if content else text)}
    mn, cn = header.get("mn", ""), header.get("cn", "")
    if not mn or not cn.isdigit():
        raise UnreadablePacketError("MN or CN is missing")
    cp = content.group(1) if content else ""
    values, factors = read_cp(cp)
    return Packet(
        st=header.get("st", ""), cn=cn, mn=mn, pw=header.get("pw", ""), qn=header.get("qn") or values.get("qn", ""),
        flag=_number(header.get("flag")), pnum=_number(header.get("pnum")), pno=_number(header.get("pno")),
        resent=header.get("rf") == "1", cp=cp, values=values, factors=factors,
    )  # fmt: skip


def _text(segment: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return segment.decode(encoding)
        except UnicodeDecodeError:
            continue
    return segment.decode("latin-1")


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else None


def read_cp(cp: str) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The items of CP. Separators inside free text (`//...//`) do not split it: they are followed by no `name=`."""
    values: dict[str, str] = {}
    factors: dict[str, dict[str, str]] = {}
    for name, value in _items(cp):
        code, dash, suffix = name.strip().rpartition("-")
        if dash and code:
            told = factors.get(code)
            if told is None:
                told = factors[code] = {}
            told[suffix.lower()] = value.strip()
        else:
            values[name.strip().lower()] = value.strip()
    return values, factors


def _items(cp: str) -> list[tuple[str, str]]:
    """Name and value of each item. Where each piece between separators is `name=...`, the pieces are the items."""
    if "/" not in cp and not cp.startswith("=") and ";=" not in cp and ",=" not in cp:
        pairs = _PAIR.findall(cp)
        if len(pairs) == cp.count(";") + cp.count(",") + 1:
            return pairs
    parts = [item.strip(" ;,").partition("=") for item in _BETWEEN.split(cp)]
    return [(name, value) for name, equals, value in parts if equals]


def framed(segment: bytes) -> bytes:
    """A plaintext segment as it stands on the wire."""
    return b"##%04d%s%s\r\n" % (len(segment), segment, written(segment))


def compose(
    *, st: str, cn: str, mn: str, pw: str, qn: str, flag: int, cp: str, part: tuple[int, int] | None = None, resent: bool = False
) -> bytes:
    """A segment in the standard's order. `part` is (PNUM, PNO)."""
    fields = [f"QN={qn}"] if qn else []
    fields += [f"ST={st}", f"CN={cn}", f"PW={pw}", f"MN={mn}", f"Flag={flag}"]
    fields += [f"PNUM={part[0]}", f"PNO={part[1]}"] if part else []
    fields += ["RF=1"] if resent else []
    return (";".join(fields) + f";CP=&&{cp}&&").encode()
