"""`haitang up`: run an instance."""

import sys

import click

from haitang.base.settings import settings
from haitang.server.cli.options import instance


@click.command(
    "up",
    help="启动一个实例，直到按下 Ctrl-C（Start an instance and keep it running）。\n\n"
    "依次启动数据库和消息流、更新数据表、载入地方的声明、启动各进程，然后显示访问地址。首次启动会显示首个管理员的一次性口令。\n\n"
    "用不同的 --data 和端口可以同时运行多个实例；端口写 0 表示自动选择空闲端口。",
)
@instance("data", "place", "host", "http", "hj212", "mqtt", "hj212_admit", "demo")
def command() -> None:
    from haitang.server.supervisor.supervisor import supervise

    sys.exit(supervise(settings()))
