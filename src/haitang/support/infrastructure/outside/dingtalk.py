"""The DingTalk group robot: a webhook that is signed and answers with `errcode` (0 taken, 310000 safety check failed, 130101 too fast, -1 busy).

Source: DingTalk open platform, custom robot access and message types.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

import httpx

from haitang.base import clock
from haitang.base.errors import HaitangError
from haitang.support.infrastructure.outside.errors import REFUSED, TOO_FAST, UNREACHABLE
from haitang.support.security.outgoing import guard as outgoing

PEER = "钉钉机器人"
PER_MINUTE = 20
_TOO_FAST = {130101, 130102}
_BUSY = {-1}


def sign(secret: str, timestamp: str) -> str:
    """base64(HMAC-SHA256(secret, timestamp + LF + secret)); percent-encoding is the HTTP client's work."""
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@dataclass
class DingTalkRobot:
    """`webhook` carries the access token; `secret` is that of the robot's signing option, empty without it."""

    webhook: str
    secret: str = ""
    timeout: float = 10
    name: str = "dingtalk"

    def send(self, *, to: str, title: str, text: str, link: str) -> str:
        """Post one message to the group; `to` are mobile numbers to highlight, separated by commas. Returns the robot's answer."""
        mobiles = [mobile for mobile in to.split(",") if mobile]
        url = httpx.URL(self.webhook)
        if self.secret:
            timestamp = str(int(clock.now().timestamp() * 1000))
            url = url.copy_merge_params({"timestamp": timestamp, "sign": sign(self.secret, timestamp)})
        try:
            answer = outgoing.post(url, json=_markdown(title, text, link, mobiles), timeout=self.timeout)
        except httpx.HTTPError as failure:
            raise UNREACHABLE(peer=PEER, reason=outgoing.reason_of(failure)) from None  # the address holds the token: never repeated
        return _receipt(answer)


def _markdown(title: str, text: str, link: str, mobiles: list[str]) -> dict[str, Any]:
    """A mobile is highlighted only when the text contains it too."""
    mentions = " ".join(f"@{mobile}" for mobile in mobiles)
    body = f"#### {title}\n\n{text}\n\n[打开]({link})" + (f"\n\n{mentions}" if mentions else "")
    return {"msgtype": "markdown", "markdown": {"title": title, "text": body}, "at": {"atMobiles": mobiles, "isAtAll": False}}


def _receipt(answer: httpx.Response) -> str:
    if answer.status_code >= 500 or answer.status_code == 429:
        raise UNREACHABLE(peer=PEER, reason=f"HTTP {answer.status_code}")
    try:
        said = answer.json()
        code = int(said["errcode"])
    except (ValueError, KeyError, TypeError):
        raise REFUSED(peer=PEER, reason=f"HTTP {answer.status_code}，不是机器人的答复") from None
    if code:
        raise _error(code, str(said.get("errmsg", "")))
    return f"errcode 0 {said.get('errmsg', '')}".strip()


def _error(code: int, message: str) -> HaitangError:
    kind = TOO_FAST if code in _TOO_FAST else UNREACHABLE if code in _BUSY else REFUSED
    return kind(peer=PEER, reason=f"{code} {message}")
