"""Makes what a checkout needs to run (environment, dependencies, web assets), each only when it changed, then becomes the command.

Standard library only: it runs before anything is installed.
"""

import errno
import fcntl
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bootstrap_steps import Failed, is_prepared, prepared, say
from unbundling import is_bundle, unbundled

CHECKOUT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:  # noqa: RET503  (execv does not return)
    """Prepare, then become the command; gives an exit code only when something failed."""
    developing = arguments[:1] == ["test"]
    offline = "--offline" in arguments
    arguments = [word for word in arguments if word != "--offline"]
    try:
        with open(CHECKOUT / ".bootstrap.lock", "w") as lock:
            if not _try(lock):
                say("另一个 haitang 正在准备环境，等待它完成（another haitang is preparing the environment）…")
                fcntl.flock(lock, fcntl.LOCK_EX)
            python = unbundled(CHECKOUT) if offline or is_bundle(CHECKOUT) else prepared(CHECKOUT, developing=developing)
    except OSError as refused:
        python = CHECKOUT / ".venv" / "bin" / "python"
        if refused.errno not in (errno.EACCES, errno.EPERM, errno.EROFS) or not is_prepared(CHECKOUT):
            print(f"无法准备运行环境：{refused}。请由有写入权限的用户先运行一次 ./haitang。", file=sys.stderr)
            return 1
    except Failed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    sys.stdout.flush()
    os.execv(python, [str(python), "-m", "haitang.server.cli", *(arguments or ["--help"])])  # noqa: S606  (the command takes our place)


def _try(lock: object) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[arg-type]
    except OSError:
        return False
    return True


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
