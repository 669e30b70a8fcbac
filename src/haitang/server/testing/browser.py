"""The browser of the browser tests: Debian's Chromium and a Chinese font, installed where we may."""

import shutil
from pathlib import Path

from haitang.server.testing.packages import there

PACKAGES = ("chromium", "fonts-noto-cjk")
_FONTS = Path("/usr/share/fonts/opentype/noto")


def browser_there() -> str:
    """Make sure that the browser is there; an empty string, or the reason why its tests are skipped."""
    return there(PACKAGES, _found, "Chromium 或中文字体")


def _found() -> bool:
    return shutil.which("chromium") is not None and any(_FONTS.glob("NotoSansCJK*"))
