"""haitang plan: what the folders on disk would change."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from haitang.server.cli.options import as_json, instance, show

if TYPE_CHECKING:
    from haitang.server.release import Plan


@click.command(
    help="对照正在生效的声明版本，说明磁盘上的声明会改变什么：新增、删去、修改的键（旧值 → 新值）和不能生效的原因。\n\n"
    "不改动任何东西；不能生效时退出码为 1。（Show what a new release would change.）"
)
@as_json
@instance("data", "place", boot=True, running=True)
def command(as_json: bool) -> None:
    """Compare and tell."""
    from haitang.server.release import plan

    found = plan()
    show(as_data(found), as_json, told(found))
    sys.exit(1 if found.refusals else 0)


def as_data(plan: "Plan") -> dict[str, Any]:
    """A plan for a program."""
    from haitang.server.cli.check import as_data as problem

    return {
        "in_force": plan.in_force,
        "new": plan.digest,
        "changes": [asdict(change) for change in plan.changes],
        "waits": plan.waits,
        "said": [problem(found) for found in plan.said],
        "refusals": [problem(found) for found in plan.refusals],
    }


def told(plan: "Plan") -> str:
    if not plan.is_new:
        return f"版本 {plan.digest[:12]} 正在生效，没有改动。"
    lines = [f"{plan.in_force[:12] or '（还没有版本）'} → {plan.digest[:12]}"]
    lines += [f"  {change}" for change in plan.changes] or ["  只有说明、译文或用例的文字不同"]
    lines += [f"  提示 {found}" for found in plan.said if found.severity == "warning"]
    lines += [f"  不能生效 {found}" for found in plan.refusals]
    verdict = (
        f"有 {len(plan.refusals)} 处原因，不能生效。"
        if plan.refusals
        else f"共 {len(plan.changes)} 处改动；执行 haitang apply {'提交，经安全管理员批准后生效' if plan.waits else '使其生效'}。"
    )
    return "\n".join([*lines, verdict])
