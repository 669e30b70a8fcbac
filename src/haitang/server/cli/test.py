"""`haitang test`: every check and test of the checkout."""

import sys

import click

from haitang.server.testing import run_all


@click.command(
    "test",
    help="运行全部检查和测试：格式、静态检查、类型、分层、声明、自动化测试和浏览器测试（All checks and tests）。\n\n"
    "以 root 在 Debian 上运行时自动安装 Chromium 和中文字体；不能安装时说明跳过了什么，CI=true 时跳过即失败。",
)
@click.option("--long", "long_too", is_flag=True, help="也运行耗时的测试（also those left out of a normal run）。")
@click.option("-k", "expression", metavar="EXPR", help="只运行名称匹配的测试，跳过其他检查（only tests that match）。")
def command(long_too: bool, expression: str | None) -> None:
    sys.exit(run_all(long_too=long_too, expression=expression))
