"""Options that commands share, and the instance that they name.

    @click.command(help="...")
    @instance("data", "place", boot=True)
    @as_json
    def command(as_json: bool) -> None:
        settings().data ...

`instance` takes the named options away, makes them this process's settings together with what the instance in `--data` says of
itself, and with `boot=True` sets Django up and puts the declarations in force. With `handed_over=True` the running instance
carries the command out, which spares that second or two: for commands that ask nothing on a terminal and run no code of folders.
"""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from haitang.base.settings import settings, use
from haitang.server.handover import hand_over
from haitang.server.instance import settings_of

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS: dict[str, Callable[[Any], Any]] = {
    "data": click.option(
        "--data", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="实例的数据目录，默认 .haitang（data directory）。"
    ),
    "place": click.option("--place", metavar="NAME|PATH", help="地方：places/ 下的名称或文件夹（place）。"),
    "host": click.option("--host", metavar="ADDRESS", help="监听地址，默认 127.0.0.1（listen address）。"),
    "http": click.option("--http", type=click.IntRange(0, 65535), metavar="PORT", help="网页和接口的端口，默认 8000（HTTP port）。"),
    "hj212": click.option("--hj212", type=click.IntRange(0, 65535), metavar="PORT", help="HJ 212 接收端口，默认 9212（HJ 212 port）。"),
    "mqtt": click.option("--mqtt", type=click.IntRange(0, 65535), metavar="PORT", help="MQTT 接收端口，默认 1883（MQTT port）。"),
    "hj212_admit": click.option(
        "--hj212-admit", is_flag=True, default=None, help="调试接入模式：暂时接纳未登记的监测站（admit unknown stations provisionally）。"
    ),
    "demo": click.option(
        "--demo",
        is_flag=True,
        default=None,
        help="演示：可切换的示例身份和回放数据，默认数据目录 .haitang-demo；用 demo remove 删除（demonstration）。",
    ),
}


def instance(*names: str, boot: bool = False, running: bool = False, handed_over: bool = False) -> Callable[[F], F]:
    """Add the options `names` and make the instance that they name the one this process works on.

    `running=True` refuses when that instance does not run.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def run(**given: Any) -> Any:
            chosen = {name: given.pop(name) for name in names}
            use(settings_of(chosen, must_run=running))
            if handed_over:
                hand_over(settings().run)
            if boot:
                from haitang.server.boot import boot as start

                start()
            return function(**given)

        made: Any = run
        for name in reversed(names):
            made = OPTIONS[name](made)
        return made  # type: ignore[no-any-return]

    return decorate


as_json = click.option("--json", "as_json", is_flag=True, help="输出 JSON，供程序读取（for programs）。")


def show(value: Any, as_json: bool, text: str) -> None:
    """Print `value` as JSON for a program, else `text` for a person."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str) if as_json else text)
