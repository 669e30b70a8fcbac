"""Built web assets: precompressed where a `.br` or `.gz` lies beside, kept for a year where the name carries a digest."""

import re
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

import haitang

ASSETS = Path(haitang.__file__).parent / "web_assets"
_DIGEST_IN_NAME = re.compile(r"[-.][0-9A-Za-z_]{8,}\.\w+$")
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))


class Assets(StaticFiles):
    """Static files with compression and caching."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await self._compressed(path, scope) or await super().get_response(path, scope)
        lasting = _DIGEST_IN_NAME.search(path) is not None
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if lasting else "public, max-age=300, must-revalidate"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    async def _compressed(self, path: str, scope: Scope) -> Response | None:
        accepted = dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1")
        for encoding, suffix in _ENCODINGS:
            if encoding in accepted and self.lookup_path(path + suffix)[1] is not None:
                response = await super().get_response(path + suffix, scope)
                if response.status_code == 200:
                    response.headers["Content-Encoding"] = encoding
                    response.headers["Content-Type"] = _type_of(path)
                return response
        return None


def _type_of(path: str) -> str:
    from mimetypes import guess_type

    found = guess_type(path)[0] or "application/octet-stream"
    return f"{found}; charset=utf-8" if found.startswith("text/") or found.endswith(("javascript", "json")) else found


def static_files() -> Assets:
    """The application that serves them; they may be built after it starts."""
    return Assets(directory=ASSETS, check_dir=False)
