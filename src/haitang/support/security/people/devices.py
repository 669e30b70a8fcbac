"""Sessions as people recognize them: browser and system in words."""

import re
from dataclasses import dataclass

from haitang.support.security.people.models import Session

# First match wins: every browser also claims to be those before it.
_BROWSERS = (
    ("DingTalk", "钉钉"), ("MicroMessenger", "微信"), ("QQBrowser", "QQ 浏览器"), ("360SE|360EE|QIHU", "360 浏览器"), ("Edg/", "Edge"),
    ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("python|curl|httpx|Go-http", "程序"),
)  # fmt: skip
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"), ("Android", "Android"), ("iPhone|iPad", "iOS"), ("UOS|Uos", "统信 UOS"), ("Kylin", "麒麟"),
    ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A session for a page."""

    session: Session
    browser: str
    system: str
    current: bool


def shown(session: Session, *, current: bool = False) -> Shown:
    """What the session's device calls itself, as far as it can be told."""
    return Shown(session, _named(session.agent, _BROWSERS), _named(session.agent, _SYSTEMS), current)


def _named(agent: str, known: tuple[tuple[str, str], ...]) -> str:
    return next((name for pattern, name in known if re.search(pattern, agent)), "")
