"""One exchange that the platform begins, without sockets and clocks: request -> 9011 -> data -> 9012.

| state | |
|---|---|
| sent | the request is out; 9011 is awaited |
| executing | 9011 said "ready"; data and 9012 are awaited |
| done | 9012 said that it was carried out, or 9013 answered a notice |
| refused | 9011 said why not |
| failed | 9012 said why not |
| timed_out | no 9011 after TRIES requests, or no word for EXECUTING seconds after it |

HJ 212-2017 table 1: 10 s for an answer, 3 tries (ADSL: 5 s; a platform cannot tell the medium, so the longer holds for all). The standard gives no limit for the
carrying out; EXECUTING is ours and starts anew with whatever the station sends of this exchange.
"""

from dataclasses import dataclass, field

from haitang.support.infrastructure.listeners.hj212.packet import Packet

ANSWERED, EXECUTING = 10.0, 120.0  # seconds
TRIES = 3
OPEN = ("sent", "executing")

# HJ 212-2017 tables 8 and 9. Text in zh-Hans, translated where it is shown.
QN_RETURN = {
    "1": "准备执行请求", "2": "请求被拒绝", "3": "PW 错误", "4": "MN 错误", "5": "ST 错误", "6": "Flag 错误", "7": "QN 错误",
    "8": "CN 错误", "9": "CRC 校验错误", "100": "未知错误",
}  # fmt: skip
EXE_RETURN = {
    "1": "执行成功", "2": "执行失败，原因不明", "3": "命令请求条件错误", "4": "通信超时", "5": "系统繁忙", "6": "系统故障", "100": "没有数据",
}  # fmt: skip
NO_ANSWER, NO_RESULT = "监测站没有应答", "监测站应答后没有回报执行结果"


@dataclass
class Exchange:
    """`tick` says when to send; `heard` takes what the station says under this QN. Times are seconds of any clock that only grows."""

    qn: str
    answered: float = ANSWERED
    executing: float = EXECUTING
    state: str = "sent"
    tries: int = 0
    packets: int = 0
    reason: str = ""
    told: dict[str, str] = field(default_factory=dict)
    _due: float | None = None

    @property
    def open(self) -> bool:
        return self.state in OPEN

    def tick(self, now: float) -> bool:
        """Whether the request is to be sent now (again)."""
        if not self.open or (self._due is not None and now < self._due):
            return False
        if self.state == "executing":
            self._end("timed_out", NO_RESULT)
        elif self.tries == TRIES:
            self._end("timed_out", NO_ANSWER)
        else:
            self.tries += 1
            self._due = now + self.answered
            return True
        return False

    def heard(self, packet: Packet, now: float) -> bool:
        """Take a packet of this exchange in; whether the state changed."""
        if not self.open:
            return False
        before = self.state
        if packet.cn == "9011":
            self._ready(packet.values.get("qnrtn", "100"), now)
        elif packet.cn == "9012":
            self._over(packet.values.get("exertn", "100"))
        elif packet.cn == "9013":
            self._end("done")
        else:
            self.packets += 1
            self.told |= packet.values
            self._execute(now)
        return self.state != before

    def _ready(self, code: str, now: float) -> None:
        if code == "1":
            self._execute(now)
        elif self.state == "sent":
            self._end("refused", QN_RETURN.get(code, f"QnRtn={code}"))

    def _execute(self, now: float) -> None:
        self.state, self._due = "executing", now + self.executing

    def _over(self, code: str) -> None:
        self._end("done" if code == "1" else "failed", "" if code == "1" else EXE_RETURN.get(code, f"ExeRtn={code}"))

    def _end(self, state: str, reason: str = "") -> None:
        self.state, self.reason = state, reason
