"""haitang apply: put the folders on disk in force."""

import sys
from typing import TYPE_CHECKING

import click

from haitang.server.cli.options import as_json, instance, show

if TYPE_CHECKING:
    from haitang.base.declarations.models import Proposal
    from haitang.server.release import Plan


@click.command(
    help="使磁盘上的声明成为新的生效版本：先检查，再留存版本和证据，登记新增的机构和设备；各进程两秒内换用。\n\n"
    "有错误或在办事项无处安放时拒绝，什么都不改。改变角色、授权规则或登录策略的版本先留存待批，\n\n"
    "由安全管理员在“权限变更”页面批准后才生效。（Admit a new release.）"
)
@as_json
@instance("data", "place", boot=True, running=True)
def command(as_json: bool) -> None:
    """Plan, and admit unless something refuses it."""
    from haitang.base.actions import acting, system
    from haitang.base.declarations.models import Proposal
    from haitang.server.cli.plan import as_data, told
    from haitang.server.release import apply, plan

    found = plan()
    if found.refusals or not found.is_new:
        show({**as_data(found), "applied": False}, as_json, told(found))
        sys.exit(1 if found.refusals else 0)
    with acting(system("operator")) as act:
        admission = apply(act)
    if isinstance(admission, Proposal):
        show({**as_data(found), "applied": False, "waits": str(admission.id)}, as_json, _waits(found, admission))
        return
    text = "\n".join([*(f"  {change}" for change in found.changes), f"版本 {found.digest[:12]} 已生效，证据 {admission.evidence}。"])
    show({**as_data(found), "applied": True, "evidence": admission.evidence}, as_json, text)


def _waits(found: "Plan", proposal: "Proposal") -> str:
    from haitang.support.security.people.queries import holders

    names = "、".join(person.name for person in holders(["security_administrator"])) or "目前无人担任，请先授予"
    return "\n".join(
        [
            *(f"  {change}" for change in found.changes),
            f"版本 {found.digest[:12]} 改变谁能做什么，还没有生效：等待安全管理员（{names}）在 /policies/changes 批准。",
        ]
    )
