"""`haitang people`: what an operator at the machine does about people."""

import click

from haitang.server.cli.options import as_json, instance, show


@click.group("people", help="在本机上管理人员（People, from the machine itself）。")
def command() -> None:
    """The group."""


@command.command("reset", help="重置密码并显示一次性密码（Reset a password and show the one-time secret）。")
@click.argument("username")
@click.option("--factors", is_flag=True, help="同时移除全部第二因素（remove every second factor too）。")
@instance("data", boot=True, running=True)
@as_json
def reset(username: str, factors: bool, as_json: bool) -> None:
    from haitang.base.actions import acting, system
    from haitang.support.security.people.actions import set_password
    from haitang.support.security.people.factors.actions import reset_factors
    from haitang.support.security.people.queries import person_named

    with acting(system("operator")) as act:
        person = person_named(username)
        secret = set_password(act=act, person=person)
        code = reset_factors(act=act, person=person) if factors else ""
    told = f"{username} 的一次性密码：{secret}（首次登录后须修改）"
    if code:
        told += f"\n{username} 登记第二因素的登记码：{code}（一天内有效，请当面交给本人）"
    show({"username": username, "secret": secret, **({"enrolment": code} if code else {})}, as_json, told)
