"""haitang check: whether declarations can go in force."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from haitang.base.declarations.checks import Problem
from haitang.server.cli.options import as_json, instance, show


@click.command(
    help="检查声明：所有应用、平台和地方，或 PATH 这一个应用（或地方）与它们一起。\n\n"
    "一次列出全部错误，写明 键 at 文件:行:列 和改法，并跑声明自带的用例表；有错误时退出码为 1。"
    "（Check declarations; all errors in one run, exit 1.）"
)
@click.argument("path", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--schema", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="把各种声明的 JSON Schema 写到 DIR，供编辑器使用。"
)
@as_json
@instance("data", "place", boot=True)
def command(path: Path | None, schema: Path | None, as_json: bool) -> None:
    """Run the checks, print what they found."""
    from haitang.base.declarations.schema import write_schemas
    from haitang.server.declared import check

    if schema is not None:
        written = write_schemas(schema)
        click.echo(f"已写出 {len(written)} 份 JSON Schema：{schema}", err=True)
    checked = check(path)
    problems = _of_interest(checked.problems, path)
    show([as_data(problem) for problem in problems], as_json, _told(problems, len(checked.loaded.raws), checked.tables))
    sys.exit(1 if checked.errors else 0)


def _of_interest(problems: Sequence[Problem], path: Path | None) -> list[Problem]:
    """Every error; warnings only of the folder that was asked about."""
    inside = path.resolve() if path else None
    return [p for p in problems if p.severity == "error" or inside is None or (p.file and p.file.is_relative_to(inside))]


def as_data(problem: Problem) -> dict[str, Any]:
    """A problem for a program."""
    return {
        "severity": problem.severity,
        "code": problem.code,
        "key_path": problem.key_path,
        "file": str(problem.file or ""),
        "line": problem.line,
        "column": problem.column,
        "declaration": problem.declaration,
        "message": problem.sentence(),
        "message_en": problem.sentence("en"),
        "hint": problem.mend(),
        "hint_en": problem.mend("en"),
    }


def _told(problems: Sequence[Problem], declared: int, tables: int) -> str:
    errors = sum(problem.severity == "error" for problem in problems)
    lines = [("错误 " if problem.severity == "error" else "提示 ") + str(problem) for problem in problems]
    verdict = f"{errors} 处错误，{len(problems) - errors} 处提示" if problems else "没有错误"
    return "\n".join([*lines, f"{declared} 项声明，{tables} 张用例表：{verdict}。"])
