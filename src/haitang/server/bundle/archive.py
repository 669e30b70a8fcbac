"""Makes the archive.

    haitang-0.1.0-x86_64-py311/
        haitang, src/, places/, …     what the checkout tracks
        src/haitang/web_assets/       built
        wheels/                       one for each line of requirements/run.txt, with the hash that it pins
        BUNDLE.json                   for which machines it is
        SBOM.cdx.json                 CycloneDX 1.6
        SHA256SUMS                    of every file above

`tools/bootstrap_steps.py` installs from it.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from haitang.base.errors import error
from haitang.server.bill import bill
from haitang.server.instance import CHECKOUT

ARCHITECTURES = ("x86_64", "aarch64")
GLIBC = (2, 28)  # Kylin V10 SP, UOS 20, openEuler 20.03 and newer
NOT_A_CHECKOUT = error("bundle.not_a_checkout", 400, "离线包要在 git 检出的目录里制作：{folder} 不是。")
NO_ASSETS = error("bundle.no_assets", 400, "网页资源尚未构建，请先运行一次 ./haitang。")
NO_WHEELS = error(
    "bundle.no_wheels",
    502,
    "没有取得全部依赖的 wheel（{architecture}，Python {python}）。请检查软件包镜像设置（pip config）后重试：\n{reason}",
)


def make(file: Path | None, architecture: str, *, say: Callable[[str], None]) -> Path:
    """Write the archive for machines of this architecture and this Python's minor version; gives its path. Raises NOT_A_CHECKOUT, NO_ASSETS, NO_WHEELS."""
    tracked = _tracked(CHECKOUT)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    name = f"haitang-{_version()}-{architecture}-py{python.replace('.', '')}"
    target = (file or Path(f"{name}.tar.gz")).absolute()
    with tempfile.TemporaryDirectory(prefix="haitang-bundle-") as folder:
        made = Path(folder)
        say(f"取得依赖的 wheel（{architecture}，Python {python}，glibc {GLIBC[0]}.{GLIBC[1]} 及以上）…")
        _fetch(made / "wheels", architecture, python)
        about = {
            "name": "haitang",
            "version": _version(),
            "architecture": architecture,
            "python": python,
            "glibc": list(GLIBC),
            "commit": _commit(),
        }
        (made / "BUNDLE.json").write_text(json.dumps(about, indent=2) + "\n", "utf-8")
        (made / "SBOM.cdx.json").write_text(json.dumps(bill(), ensure_ascii=False, indent=2) + "\n", "utf-8")
        files = {
            **{path: CHECKOUT / path for path in tracked},
            **_inside(CHECKOUT, CHECKOUT / "src/haitang/web_assets"),
            **_inside(made, made),
        }
        (made / "SHA256SUMS").write_text(_sums(files), "utf-8")
        files["SHA256SUMS"] = made / "SHA256SUMS"
        say(f"打包 {len(files)} 个文件…")
        _pack(target, name, files)
    return target


def _tracked(checkout: Path) -> list[str]:
    told = subprocess.run(["git", "-C", str(checkout), "ls-files", "-z"], capture_output=True, text=True, check=False)
    if told.returncode:
        raise NOT_A_CHECKOUT(folder=checkout)
    if not (checkout / "src/haitang/web_assets/.stamp").is_file():
        raise NO_ASSETS()
    return [path for path in told.stdout.split("\0") if path and (checkout / path).is_file()]


def _commit() -> str:
    return subprocess.run(["git", "-C", str(CHECKOUT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()


def _version() -> str:
    import tomllib

    return str(tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def _fetch(folder: Path, architecture: str, python: str) -> None:
    """Every pinned wheel, of the newest sort that the oldest machine takes."""
    oldest = range(GLIBC[1], 4, -1)
    platforms = [
        *(f"manylinux_2_{minor}_{architecture}" for minor in oldest),
        f"manylinux2014_{architecture}",
        f"manylinux1_{architecture}",
    ]
    abis = [f"cp{python.replace('.', '')}", "abi3", "none"]
    words = [
        *(f"--platform={each}" for each in platforms),
        *(f"--abi={each}" for each in abis),
        f"--python-version={python}",
        "--implementation=cp",
    ]
    pins = CHECKOUT / "requirements" / "run.txt"
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--require-hashes", "--no-deps", "-q",
               "--only-binary=:all:", *words, "-d", str(folder), "-r", str(pins)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NO_WHEELS(architecture=architecture, python=python, reason=done.stderr.strip()[-1500:])


def _inside(root: Path, folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(root)): path for path in sorted(folder.rglob("*")) if path.is_file()}


def _sums(files: dict[str, Path]) -> str:
    """As `sha256sum -c` reads them."""
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n" for name, path in sorted(files.items()))


def _pack(target: Path, name: str, files: dict[str, Path]) -> None:
    """Whole or not at all."""
    draft = target.with_name(target.name + ".part")
    with tarfile.open(draft, "w:gz", compresslevel=6) as out:
        for path, source in sorted(files.items()):
            out.add(source, f"{name}/{path}", recursive=False, filter=_nobody)
    draft.replace(target)


def _nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whose machine made it says nothing to whom installs it."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
