"""`haitang evidence clauses`: an export for an assessor."""

from datetime import datetime
from typing import BinaryIO

import click

from haitang.server.cli.options import as_json, instance, show

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command(
    "clauses",
    help="按标准条款导出证据，供测评机构核对（Export the evidence clause by clause for an assessor）。\n\n"
    "AUDIT 是声明的审计对照，如 gbt22239_level3；FILE 是 zip。对照由 audits/ 声明，地方可另行声明更正后的对照。",
)
@click.argument("audit")
@click.argument("file", type=click.File("wb"))
@click.option("--from", "since", type=DAY, help="起始日期，含当日，中国时间（from this day, China time）。")
@click.option("--to", "until", type=DAY, help="截止日期，不含当日（up to this day）。")
@instance("data", boot=True, running=True)
@as_json
def clauses(audit: str, file: BinaryIO, since: datetime | None, until: datetime | None, as_json: bool) -> None:
    from haitang.base.actions import acting, system
    from haitang.base.clock import CHINA
    from haitang.operations.management.evidence.clauses import audit_of, export_clauses
    from haitang.support.security.evidence.export import Scope, note_export
    from haitang.support.security.evidence.sealing import seal_all

    found = audit_of(audit)
    scope = Scope(since=since.replace(tzinfo=CHINA) if since else None, until=until.replace(tzinfo=CHINA) if until else None)
    with acting(system("operator")) as act:
        note_export(act=act, scope=Scope(since=scope.since, until=scope.until, actions=(f"audit:{audit}",)))
    seal_all()
    counts = export_clauses(file, found, scope)
    lines = [f"  {id}  {counts[id]} 条  {clause.title}" for id, clause in found.clauses.items()]
    show(counts, as_json, "\n".join([f"已写入 {file.name}：{found.title}。{found.sure}。", *lines]))
