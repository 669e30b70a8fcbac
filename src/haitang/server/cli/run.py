"""`haitang run NAME`: one process of an instance; the supervisor calls it."""

import click

from haitang.base.settings import load, use
from haitang.server.instance import CHECKOUT


@click.command("run", hidden=True, help="运行实例的一个进程，由 up 调用（one process of an instance; called by up）。")
@click.argument("name")
def command(name: str) -> None:
    use(load(checkout=CHECKOUT))
    from haitang.server import logs
    from haitang.server.boot import boot
    from haitang.server.processes import host

    logs.install()
    boot()
    host.run(name)
