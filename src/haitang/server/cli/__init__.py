"""The command line: every module here that has a `command` is one, under the module's name."""

import errno
import importlib
import pkgutil
import sys
from typing import Any, NoReturn

import click

from haitang.base.errors import HaitangError, error

DISK_FULL = error("server.disk_full", 507, "磁盘已满（{reason}）。请清理磁盘或扩容后重试。")


class Commands(click.Group):
    """Finds commands by module name; imports only the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
        return [name for name in names if self.get_command(ctx, name) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = f"{__name__}.{cmd_name.replace('-', '_')}"
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as missing:
            if missing.name == name:
                return None
            raise
        found = getattr(module, "command", None)
        return found if isinstance(found, click.Command) else None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HaitangError as failure:
            _end(failure)
        except OSError as failure:
            if failure.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            _end(DISK_FULL(reason=failure))


def _end(failure: HaitangError) -> NoReturn:
    click.echo(f"{failure.sentence}  [{failure.code}]", err=True)
    sys.exit(1)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="海棠：运行一个智慧城区的开放平台（Haitang runs a smart district）。\n\n"
    "从 ./haitang up 开始；每个命令都有 --help。（Start with ./haitang up; every command has --help.）",
)
def main() -> None:
    """The entry point."""
