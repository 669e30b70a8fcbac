"""Node.js packages that only tests need (tests/peers), installed from their lock file: OpenID Connect peers, and axe-core to judge pages.

axe-core (MPL-2.0) stands here and not in web/: `up` and the image install what web/ names, and the product never needs it."""

import hashlib
import shutil
import subprocess

from haitang.server.instance import CHECKOUT

FOLDER = CHECKOUT / "tests" / "peers"


def peers_there() -> str:
    """Make sure that the peers are there; an empty string, or why their tests are skipped (zh-Hans)."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "本机没有 Node.js 和 npm；请安装 Node.js 20 或更高版本"
    stamp, wanted = FOLDER / "node_modules" / ".haitang.stamp", hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return ""
    print("== npm ci（tests/peers） …", flush=True)
    ran = subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=FOLDER, capture_output=True, text=True)
    if ran.returncode:
        return f"npm ci 失败：{(ran.stderr or ran.stdout).strip()[-300:]}"
    stamp.write_text(wanted)
    return ""
