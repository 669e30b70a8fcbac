"""`haitang gather`: a file into a resource of the running instance."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from haitang.server.cli.options import as_json, instance, show

if TYPE_CHECKING:
    from haitang.hub.data.gather.models import Run

EVERY = 0.25  # seconds between two looks at the run, at most


@click.command(
    "gather",
    help="把一个文件采集到数据资源中（CSV、Excel、JSON、Parquet 或 zip），等到入湖后打印结果。\n\n"
    "读取 = 接收 + 隔离。隔离的行保留原文和每一条理由，在“隔离区”页面修改后重新提交。\n\n"
    "（Gathers a file into a resource and waits until it is in the lake. Exit code: 0 all rows accepted, 1 some were quarantined, 2 the run failed.）",
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--resource", metavar="ID", help="数据资源（resource）。")
@click.option("--source", metavar="ID", default="", help="数据来源声明，决定列的对应、版式和来源单位（source）。")
@click.option(
    "--mend", metavar="RUN", help="FILE 是改好的隔离行：逐行核对，合规的重新提交（a corrected file of the quarantined rows of RUN）。"
)
@click.option(
    "--infer",
    is_flag=True,
    help="按文件提议一个数据资源，暂定后采集进去；--resource 可指定编号（propose a resource, gather into it provisionally）。",
)
@click.option("--title", default="", help="与 --infer 合用：资源名称（title）。")
@click.option("--organization", default="", metavar="ID", help="与 --infer 合用：数据是哪个单位的（whose data it is）。")
@click.option("--propose-only", is_flag=True, help="与 --infer 合用：只提议，不采集（only propose）。")
@click.option("--load", type=click.Choice(["update", "full"]), help="update 按主键新增和更新；full 为全量，文件里没有的标为移除（load）。")
@instance("data", running=True, boot=True, handed_over=True)
@as_json
def command(
    file: Path, resource: str | None, source: str, mend: str | None, infer: bool, title: str, organization: str, propose_only: bool, load: str | None, as_json: bool
) -> None:  # fmt: skip
    from haitang.server.gathering import result, sentence, start_file, wait

    told: dict[str, Any] = {}
    text = ""
    if mend:
        _mend(mend, file, as_json)
    if infer:
        from haitang.server.inferring import in_words, start_inferred, told_of

        proposal, folder, run = start_inferred(file, resource or "", title, organization, only=propose_only)
        told, text = told_of(proposal, folder), in_words(proposal, folder) + "\n"
        if run is None:
            show(told, as_json, text)
            return
    else:
        run = start_file(file, resource, source, load)
    wait(run, lambda: _progress(run) if not as_json else None, EVERY)
    show({**told, **result(run)}, as_json, text + sentence(run))
    sys.exit({"done": 1 if run.quarantined else 0}.get(run.state, 2))


def _mend(run: str, file: Path, as_json: bool) -> None:
    """Exit code: 0 nothing of the run is left to mend, 1 something is."""
    from haitang.server.gathering import wait
    from haitang.server.mending import in_words, left, mend, told_of

    done = mend(run, file)
    if done.again:
        wait(done.again, lambda: None, EVERY)
    still = left(run)
    show({**told_of(done), "left": still}, as_json, f"{in_words(done)}；待处理还有 {still} 行")
    sys.exit(1 if still else 0)


_last = [0.0]


def _progress(run: "Run") -> None:
    """One line on the terminal; once every ten seconds where it is no terminal."""
    live = sys.stderr.isatty()
    if not live and time.monotonic() - _last[0] < 10:
        return
    _last[0] = time.monotonic()
    click.echo(("\r" if live else "") + progress_text(run), nl=not live, err=True)


def progress_text(run: Any) -> str:
    """How far a run is: bytes of the file are what is known for sure, rows are what has been read."""
    share = f"{100 * run.read_bytes / run.total_bytes:.0f}%" if run.total_bytes and run.state == "running" else str(run.get_state_display())
    return f"{share}  读取 {run.read:,}  接收 {run.accepted:,}  隔离 {run.quarantined:,}  已入湖 {run.inserted + run.updated + run.unchanged:,}   "
