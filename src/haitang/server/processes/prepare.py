"""What an instance needs before its processes start: tables, a release in force, seeds, a first administrator."""

from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.base.settings import settings
from haitang.server.boot import boot
from haitang.server.supervisor.console import plain, say

OWN_SIGNALS = True


def run() -> None:
    """Bring the instance to the state that this code and this place ask for; safe to repeat."""
    boot()
    _migrate()
    _release()
    _seed()
    _personas()
    _first_administrator()


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        say(f"更新数据表（{len(plan)} 步）…")
        call_command("migrate", verbosity=0, interactive=False)


def _release() -> None:
    """The first release; later ones wait for `haitang apply`."""
    from haitang.server.release import ensure_release

    admission = ensure_release()
    if admission is not None:
        say(f"声明版本 {admission.release_id[:12]} 已生效（{len(admission.changes)} 项）。")


def _seed() -> None:
    """Bring organizations and things of the place into the tables."""
    from haitang.base.declarations import in_force
    from haitang.server.seeding import seed

    with acting(system("setup")) as act:
        seed(in_force(), act=act)


def _personas() -> None:
    """The made-up people of a demonstration are there before its first page."""
    if settings().demo:
        from haitang.server.demo.people import make_people

        make_people()


def _first_administrator() -> None:
    from haitang.support.security.people.actions import ADMINISTRATOR_EXISTS, first_administrator

    try:
        with acting(system("setup")) as act:
            secret = first_administrator(act=act)
    except HaitangError as known:
        if known.kind is not ADMINISTRATOR_EXISTS:
            raise
        return
    plain(f"\n  首个管理员 admin 的一次性口令（只显示这一次，登录后请修改）：{secret}\n")
