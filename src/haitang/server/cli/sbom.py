"""`haitang sbom`: what this software is made of."""

import json
import sys
from typing import TextIO

import click


@click.command(
    "sbom",
    help="软件物料清单：按锁定文件列出全部依赖，CycloneDX 1.6（The bill of materials of the locked dependencies）。默认写到标准输出。\n\n"
    "例：haitang sbom sbom.json；haitang sbom --audit。\n\n退出码：0 完成，1 --audit 发现已知漏洞（known vulnerabilities）。",
)
@click.argument("file", type=click.File("w"), default="-")
@click.option("--of", "lock", type=click.Choice(["run", "dev"]), default="run", help="run 运行所需，dev 另含测试和检查（which lock）。")
@click.option("--audit", is_flag=True, help="只核对已知漏洞（pip-audit），不写清单；连不上漏洞库时说明并跳过（ask an advisory source）。")
def command(file: TextIO, lock: str, audit: bool) -> None:
    from haitang.server import bill

    if audit:
        said, sound = bill.audit(lock)
        click.echo(said)
        sys.exit(0 if sound else 1)
    file.write(json.dumps(bill.bill(lock), ensure_ascii=False, indent=2) + "\n")
