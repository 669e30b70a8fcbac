"""haitang apply: put the folders on disk in force."""

import sys

import click

from haitang.server.cli.options import as_json, instance, show


@click.command(
    help="使磁盘上的声明成为新的生效版本：先检查，再留存版本和证据，登记新增的机构和设备；各进程两秒内换用。\n\n"
    "有错误或在办事项无处安放时拒绝，什么都不改。（Admit a new release.）"
)
@as_json
@instance("data", "place", boot=True, running=True)
def command(as_json: bool) -> None:
    """Plan, and admit unless something refuses it."""
    from haitang.base.actions import acting, system
    from haitang.server.cli.plan import as_data, told
    from haitang.server.release import apply, plan

    found = plan()
    if found.refusals or not found.is_new:
        show({**as_data(found), "applied": False}, as_json, told(found))
        sys.exit(1 if found.refusals else 0)
    with acting(system("operator")) as act:
        admission = apply(act)
    text = "\n".join([*(f"  {change}" for change in found.changes), f"版本 {found.digest[:12]} 已生效，证据 {admission.evidence}。"])
    show({**as_data(found), "applied": True, "evidence": admission.evidence}, as_json, text)
