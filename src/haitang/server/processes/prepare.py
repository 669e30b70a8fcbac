"""What an instance needs before its processes start: tables, a release in force, seeds, a first administrator."""

from haitang.server.boot import boot
from haitang.server.supervisor.console import say

OWN_SIGNALS = True


def run() -> None:
    """Bring the instance to the state that this code and this place ask for; safe to repeat."""
    boot()
    _migrate()


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        say(f"更新数据表（{len(plan)} 步）…")
        call_command("migrate", verbosity=0, interactive=False)
