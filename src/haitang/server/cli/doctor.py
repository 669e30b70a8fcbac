"""`haitang doctor`: name what is wrong and the remedy."""

import sys
from dataclasses import asdict

import click

from haitang.server.cli.options import as_json, instance, show
from haitang.server.doctor import Finding, examine


@click.command(
    "doctor",
    help="检查本机和实例，指出问题和处理办法（Find what is wrong and say the remedy）。\n\n"
    "退出码：0 没有问题，1 有问题。（Exit code: 0 nothing wrong, 1 something is.）",
)
@instance("data")
@as_json
def command(as_json: bool) -> None:
    findings = examine()
    show({"ok": all(f.ok for f in findings), "findings": [asdict(f) for f in findings]}, as_json, "\n".join(map(_line, findings)))
    sys.exit(0 if all(f.ok for f in findings) else 1)


def _line(finding: Finding) -> str:
    head = f"{'正常' if finding.ok else '问题'}  {finding.what}：{finding.found}"
    return head if finding.ok else f"{head}\n      办法：{finding.remedy}"
