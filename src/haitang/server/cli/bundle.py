"""`haitang bundle`: one archive for a network without the outside."""

import hashlib
from pathlib import Path

import click

from haitang.server.bundle.archive import ARCHITECTURES, GLIBC
from haitang.server.cli.options import as_json, show


@click.command(
    "bundle",
    help="制作离线安装包：代码、网页资源、全部依赖、物料清单（SBOM）和校验值，装进一个文件。\n\n"
    f"适用于 glibc {GLIBC[0]}.{GLIBC[1]} 及以上的 Linux（麒麟、统信、openEuler 等），目标机器须有与本机相同小版本的 Python。"
    "在目标机器上解开后运行 ./haitang up --offline。\n\n"
    "（One archive that installs without a network; unpack it there and run ./haitang up --offline.）",
)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False), metavar="[FILE]")
@click.option("--architecture", type=click.Choice(ARCHITECTURES), help="目标机器的架构，默认与本机相同（default: this machine's）。")
@as_json
def command(file: Path | None, architecture: str | None, as_json: bool) -> None:
    """Make it and say how large it is."""
    import platform

    from haitang.server.bundle.archive import make

    made = make(file, architecture or platform.machine(), say=lambda text: click.echo(text, err=True))
    with made.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    told = {"file": str(made), "bytes": made.stat().st_size, "sha256": digest}
    show(
        told, as_json, f"{made}\n{made.stat().st_size / 1024**2:.0f} MiB，SHA-256 {digest}\n在目标机器上解开，运行 ./haitang up --offline。"
    )
