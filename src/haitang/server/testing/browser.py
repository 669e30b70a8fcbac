"""The browser of the browser tests: Debian's Chromium and a Chinese font, installed where we may."""

import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = ("chromium", "fonts-noto-cjk")
_FONTS = Path("/usr/share/fonts/opentype/noto")


def browser_there() -> str:
    """Make sure that the browser is there; an empty string, or the reason why its tests are skipped."""
    if _found():
        return ""
    if os.geteuid() != 0:
        return f"本机没有 Chromium 或中文字体，普通用户不能安装；请执行 sudo apt-get install {' '.join(PACKAGES)}"
    if shutil.which("apt-get") is None:
        return "本机没有 Chromium，也没有 apt-get；请自行安装 Chromium 和中文字体"
    return _install()


def _found() -> bool:
    return shutil.which("chromium") is not None and any(_FONTS.glob("NotoSansCJK*"))


def _install() -> str:
    print(f"== 安装 {' '.join(PACKAGES)} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *PACKAGES]):
        ran = subprocess.run(["apt-get", *command], env=environment, capture_output=True, text=True)
        if ran.returncode and command[0] == "install":
            return f"安装 Chromium 失败：{ran.stderr.strip()[-300:]}"
    return "" if _found() else "安装后仍没有找到 Chromium"
