"""Root starts the engines as an ordinary user, and gives it no more than it needs to reach their files."""

import os
import pwd
import shutil
import subprocess
from functools import cache
from pathlib import Path

from haitang.base.errors import error

NO_SUCH_USER = error("embedded.no_such_user", 500, "HAITANG_USER 指定的用户“{user}”不存在。请创建该用户，或改用其他用户。")
NO_SETPRIV = error("embedded.no_setpriv", 500, "以 root 运行需要 setpriv（util-linux）。请安装它，或以普通用户运行。")
NOT_REACHABLE = error(
    "embedded.not_reachable", 500, "用户“{user}”无法访问 {path}，且本机不允许授予所需能力。请把目录移到该用户可达的位置，或以普通用户运行。"
)

_CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}
_SETPCAP = 8


@cache
def account() -> pwd.struct_passwd | None:
    """Whom the engines run as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    wanted = os.environ.get("HAITANG_USER")
    for name in [wanted] if wanted else ["haitang", "postgres", "nobody"]:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            if wanted:
                raise NO_SUCH_USER(user=wanted) from None
    raise NO_SUCH_USER(user="nobody")


def give(path: Path) -> None:
    """Hand a path of the data directory to the engines' user."""
    user = account()
    if user:
        os.chown(path, user.pw_uid, user.pw_gid)


def prefix(*paths: Path, death_signal: str = "TERM") -> list[str]:
    """What to put before a command so that it runs unprivileged, reaches `paths`, and gets `death_signal` should its parent die."""
    user = account()
    if user is None:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise NO_SETPRIV()
    plain = [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", f"--pdeathsig={death_signal}"]
    missing = next((path for path in paths if not _reaches(plain, path)), None)
    return plain if missing is None else [*plain, *_capability(user.pw_name, missing)]


def _reaches(plain: list[str], path: Path) -> bool:
    return subprocess.run([*plain, "test", "-x", str(path)], cwd="/", stderr=subprocess.DEVNULL).returncode == 0


def _capability(user: str, path: Path) -> list[str]:
    status = Path("/proc/self/status").read_text("ascii")
    bounding = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:")), 16)
    # Without this access(2), by which PostgreSQL looks for its own programs, leaves the capability of an ordinary user aside.
    kept = ["--securebits=+no_setuid_fixup"] if bounding >> _SETPCAP & 1 else []
    for name, bit in _CAPABILITIES.items():
        if bounding >> bit & 1:
            return [f"--inh-caps=+{name}", f"--ambient-caps=+{name}", *kept]
    raise NOT_REACHABLE(user=user, path=path)
