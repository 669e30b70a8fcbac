"""`haitang bench`: measure the shipped path against floors of the same run."""

import importlib
import pkgutil
import signal
import sys
import tempfile
from pathlib import Path

import click

from haitang.server.cli.options import as_json
from haitang.server.instance import CHECKOUT

DURABILITY = "PostgreSQL fsync=on synchronous_commit=on; JetStream sync_interval=always; Parquet fsynced before its catalogue commits; TLS off; loopback sockets"


def names() -> list[str]:
    """The benchmarks of the checkout: modules of `bench/` that have a TITLE."""
    if not (CHECKOUT / "bench").is_dir():
        return []
    if str(CHECKOUT) not in sys.path:
        sys.path.insert(0, str(CHECKOUT))
    found = [m.name for m in pkgutil.iter_modules([str(CHECKOUT / "bench")])]
    return sorted(name.replace("_", "-") for name in found if "\nTITLE = " in (CHECKOUT / "bench" / f"{name}.py").read_text("utf-8"))


@click.command(
    "bench",
    help="测量随产品交付的完整路径，与同一次运行中测得的下限相比；目标未达到时退出码为 1。不写名称则列出全部。\n\n"
    "（Measure the shipped path against floors measured in the same run. Exit code 1 where a goal is not held. Without NAME: lists them.）",
)
@click.argument("name", required=False)
@click.option("--quick", is_flag=True, help="缩小规模，两分钟内结束（smaller, within two minutes）。")
@click.option("--rounds", type=click.IntRange(min=1), help="故障的轮数，仅 endurance 与 power-loss（how many faults; of these two only）。")
@as_json
def command(name: str | None, quick: bool, rounds: int | None, as_json: bool) -> None:
    known = names()
    if name is None:
        for each in known:
            click.echo(f"{each:20} {importlib.import_module('bench.' + each.replace('-', '_')).TITLE}")
        return
    if name not in known:
        raise click.UsageError(f"没有名为 {name} 的测量。可用：{'、'.join(known)}（no such benchmark）。")
    module = importlib.import_module("bench." + name.replace("-", "_"))
    if rounds and not hasattr(module, "ROUNDS"):
        raise click.UsageError(f"{name} 没有轮数（--rounds is for benchmarks of faults only）。")
    figures = importlib.import_module("bench.figures")
    told = figures.machine()
    # What was begun is ended in order: instances, mounted disks, rules of the packet filter.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="haitang-bench-") as folder:
        Path(folder).chmod(0o755)
        found = module.run(figures.Options(quick=quick, data=Path(folder), rounds=rounds or 0))
    click.echo(figures.as_json(name, told, DURABILITY, found) if as_json else figures.table(module.TITLE, told, DURABILITY, found))
    sys.exit(0 if all(figure.held for figure in found) else 1)
