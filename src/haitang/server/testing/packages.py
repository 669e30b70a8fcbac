"""Debian's packages that some tests need beside the wheels: installed where we may, else the reason why the tests are skipped."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence


def there(packages: Sequence[str], found: Callable[[], bool], what: str) -> str:
    """Make sure that the packages are there; an empty string, or why not (zh-Hans)."""
    if found():
        return ""
    if os.geteuid() != 0:
        return f"本机没有 {what}，普通用户不能安装；请执行 sudo apt-get install {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        return f"本机没有 {what}，也没有 apt-get；请自行安装"
    return _install(packages, found, what)


def _install(packages: Sequence[str], found: Callable[[], bool], what: str) -> str:
    print(f"== 安装 {' '.join(packages)} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
        ran = subprocess.run(["apt-get", *command], env=environment, capture_output=True, text=True)
        if ran.returncode and command[0] == "install":
            return f"安装 {what} 失败：{ran.stderr.strip()[-300:]}"
    return "" if found() else f"安装后仍没有找到 {what}"
