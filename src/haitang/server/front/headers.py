"""What every answer tells the browser: where scripts may come from, who may frame the page, that TLS is to stay.

A room that says something stricter of an answer (`sandbox` of a file that somebody sent in) keeps its own.
"""

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from haitang.base.settings import Settings

A_YEAR = 31_536_000


def policy(settings: Settings) -> str:
    """The content security policy (CSP level 3): scripts and styles from here alone, none inline; attributes `style` only for widths that a page computes."""
    tiles = urlsplit(settings.tiles_url)
    outside = f" {tiles.scheme}://{tiles.netloc}" if tiles.netloc else ""
    return "; ".join((
        "default-src 'self'", "script-src 'self'", "style-src 'self'", "style-src-attr 'unsafe-inline'", f"img-src 'self' data: blob:{outside}",
        f"connect-src 'self'{outside}", "font-src 'self'", "media-src 'self' blob:", "worker-src 'self' blob:", "manifest-src 'self'",
        "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
    ))  # fmt: skip


def headers(settings: Settings) -> dict[str, str]:
    found = {
        "content-security-policy": policy(settings), "x-content-type-options": "nosniff", "x-frame-options": "DENY",
        "referrer-policy": "same-origin", "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
    }  # fmt: skip
    if settings.url.startswith("https:"):
        found["strict-transport-security"] = f"max-age={A_YEAR}"
    return found


class Headers:
    """ASGI: adds what an answer does not say itself."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._headers = app, headers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    found.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, told)
