"""Installs from a bundle (`haitang bundle`): checks every file against SHA256SUMS, then takes the wheels that lie in it. No network is asked.

Standard library only, like the rest of the bootstrap.
"""

import hashlib
import json
import platform
import sys
from pathlib import Path

from bootstrap_steps import Failed, digest, holds, make_environment, pip, run, say

ABOUT, SUMS = "BUNDLE.json", "SHA256SUMS"


def is_bundle(checkout: Path) -> bool:
    """Whether this folder was unpacked from a bundle; such a one never asks a network."""
    return (checkout / ABOUT).is_file()


def unbundled(checkout: Path) -> Path:
    """The environment of an unpacked bundle; gives its Python. Raises Failed where the machine does not fit or a file is not as it was packed."""
    if not is_bundle(checkout):
        raise Failed(
            "--offline 需要离线安装包：请在能上网的机器上运行 ./haitang bundle，把生成的文件解开后，在解开的目录里运行。"
            "（--offline needs an unpacked bundle; make one with ./haitang bundle.）"
        )
    about = json.loads((checkout / ABOUT).read_text("utf-8"))
    _refuse_unless_fit(about)
    python = make_environment(checkout)
    stamp, value = checkout / ".venv" / ".run.stamp", digest(checkout / SUMS)
    if not holds(stamp, value):
        check_sums(checkout)
        pins = checkout / "requirements" / "run.txt"
        run(
            "安装依赖（离线）",
            [*pip(python), "install", "--no-index", f"--find-links={checkout / 'wheels'}", "--require-hashes", "--progress-bar=off",
             "--root-user-action=ignore", "-r", str(pins)],
            cwd=checkout,
            remedy="离线包可能不完整，请重新解开或重新制作。",
        )  # fmt: skip
        stamp.write_text(value)
    return python


def _refuse_unless_fit(about: dict) -> None:
    """Raises Failed."""
    mine = f"{sys.version_info.major}.{sys.version_info.minor}"
    if about["python"] != mine:
        raise Failed(
            f"这个离线包用于 Python {about['python']}，本机是 {mine}。请用相同小版本的 Python（可用 HAITANG_PYTHON 指定），或重新制作离线包。"
        )
    if about["architecture"] != platform.machine():
        raise Failed(
            f"这个离线包用于 {about['architecture']}，本机是 {platform.machine()}。请用 haitang bundle --architecture {platform.machine()} 重新制作。"
        )
    name, version = platform.libc_ver()
    if name == "glibc" and tuple(map(int, version.split(".")[:2])) < tuple(about["glibc"]):
        raise Failed(f"本机的 glibc 是 {version}，需要 {'.'.join(map(str, about['glibc']))} 或更高版本。")


def check_sums(checkout: Path) -> None:
    """Every file that SHA256SUMS names is as it was packed; raises Failed with those that are not."""
    say("核对离线包的校验值 …")
    wrong = []
    for line in (checkout / SUMS).read_text("utf-8").splitlines():
        expected, _, name = line.partition("  ")
        file = checkout / name
        if not file.is_file():
            wrong.append(f"{name}：缺失")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != expected:
            wrong.append(f"{name}：内容不符")
    if wrong:
        shown = "\n".join(wrong[:20])
        raise Failed(f"离线包与 {SUMS} 不符，没有安装：\n{shown}\n请重新传输并解开离线包。")
