"""What a platform says to a packet.

| what came | answer, when bit A of Flag asks for one |
|---|---|
| upload (2xxx, even without content, and 3015/3019/3020 with content), each part of a split one | 9014 |
| notice (1001, 1013, 9015, 2012, 2022, 9021) | 9013 |
| request for the time (1011) | 9011 `QnRtn=1`, 1011 with SystemTime, 9012 `ExeRtn=1` |
| any other request: a platform has nothing for a station to set or fetch | 9011 `QnRtn=2` (refused), which ends the exchange |
| request with a wrong password | 9011 `QnRtn=3` |
| command that no edition knows | 9011 `QnRtn=8` |
| answer (9011-9014) or a station's reply to a command of ours (A=0, or 1011 with SystemTime and the like) | none, ever |

An answer repeats QN, PW and MN, has ST=91 and the version bits of the peer's Flag (2017: 4, 2025: 8). Without bit A nothing is said, as the standard asks;
what came is stored all the same.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from haitang.base.clock import CHINA
from haitang.support.infrastructure.listeners.hj212.packet import Packet, compose, framed

Role = Literal["upload", "notice", "request", "reply", "unknown"]

_ANSWERS = {"9011", "9012", "9013", "9014", "9022"}
_NOTICES = {"1001", "1013", "9015", "2012", "2022", "9021"}
_REQUESTS = {
    "1000", "1002", "1011", "1012", "1014", "1061", "1062", "1063", "1064", "1072",
    "3011", "3012", "3013", "3014", "3015", "3016", "3017", "3018", "3019", "3020", "3021", "3022", "3024",
}  # fmt: skip
# What a station gives back when asked has the item that the question lacks.
_REPLIES = {"1011": "systemtime", "1014": "skcreatetime", "1061": "rtdinterval", "1063": "mininterval", "3017": "ctime", "3018": "stime"}


@dataclass(frozen=True)
class Answer:
    """One packet to say: command and content."""

    cn: str
    cp: str = ""


def role(packet: Packet) -> Role:
    """What this packet is in an exchange, seen from the platform."""
    if packet.cn in _ANSWERS:
        return "reply"
    if packet.cn in _NOTICES:
        return "notice"
    if packet.cn[0] == "2":
        return "request" if "begintime" in packet.values and "datatime" not in packet.values else "upload"
    if packet.cn in ("3015", "3019", "3020") and ("datatime" in packet.values or packet.factors):
        return "upload"
    if packet.cn in _REQUESTS:
        replied = _REPLIES.get(packet.cn) in packet.values
        return "reply" if replied or not packet.wants_answer else "request"
    return "unknown"


def answers(packet: Packet, *, now: datetime, password_holds: bool = True) -> list[Answer]:
    """What to say, in order; empty when nothing is to be said."""
    part = role(packet)
    if part == "reply" or not packet.wants_answer:
        return []
    if part == "upload":
        return [Answer("9014")]
    if part == "notice":
        return [Answer("9013")]
    if not password_holds:
        return [Answer("9011", "QnRtn=3")]
    if part == "unknown":
        return [Answer("9011", "QnRtn=8")]
    if packet.cn != "1011":
        return [Answer("9011", "QnRtn=2")]
    return [Answer("9011", "QnRtn=1"), Answer("1011", _time(packet, now)), Answer("9012", "ExeRtn=1")]


def _time(packet: Packet, now: datetime) -> str:
    asked = packet.values.get("polid")
    return (f"PolId={asked};" if asked else "") + f"SystemTime={now.astimezone(CHINA):%Y%m%d%H%M%S}"


def on_the_wire(packet: Packet, answer: Answer) -> bytes:
    """An answer to `packet` as bytes."""
    st = packet.st if answer.cn == "1011" else "91"
    flag = packet.version << 2
    return framed(compose(st=st, cn=answer.cn, mn=packet.mn, pw=packet.pw, qn=packet.qn, flag=flag, cp=answer.cp))
