"""`haitang credential`: what devices sign in with by MQTT and HTTP."""

from datetime import datetime, time

import click

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.server.cli.options import as_json, instance, show


@click.group("credential", help="设备接入凭据：签发、轮换、吊销、列出（credentials of devices for MQTT and HTTP）。")
def command() -> None: ...


until = click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="有效到这一天结束（holds until the end of this day）。"
)


def _end_of(day: datetime | None) -> datetime | None:
    return datetime.combine(day.date(), time.max, clock.CHINA) if day else None


@command.command("issue", help="为一台设备签发凭据；密钥只显示这一次（issues a credential; the secret is shown once）。")
@click.argument("thing")
@click.option("--label", default="", help="用途（purpose）。")
@click.option("--new", metavar="TYPE", help="设备尚未登记：按此类型暂时登记，待人确认（register it provisionally as this type）。")
@until
@instance("data", running=True, boot=True, handed_over=True)
@as_json
def issue(thing: str, label: str, new: str | None, until: datetime | None, as_json: bool) -> None:
    from haitang.support.infrastructure.credentials import actions
    from haitang.support.infrastructure.things.actions import register_provisionally
    from haitang.support.infrastructure.things.queries import get

    with acting(system("operator")) as act:
        found = register_provisionally(act=act, id=thing, device=new) if new else get(thing)
        made = actions.issue(act=act, thing=found, label=label, valid_until=_end_of(until))
    _tell(made.credential.identifier, made.secret, as_json)


@command.command(
    "rotate", help="签发新凭据；旧凭据用到新凭据首次使用为止，或到 --until 当日（the old one holds until the new one is first used）。"
)
@click.argument("thing")
@click.argument("identifier")
@until
@instance("data", running=True, boot=True, handed_over=True)
@as_json
def rotate(thing: str, identifier: str, until: datetime | None, as_json: bool) -> None:
    from haitang.support.infrastructure.credentials import actions, queries
    from haitang.support.infrastructure.things.queries import get

    with acting(system("operator")) as act:
        made = actions.rotate(act=act, credential=queries.get(get(thing), identifier), until=_end_of(until))
    _tell(made.credential.identifier, made.secret, as_json)


@command.command("revoke", help="吊销凭据；已建立的连接数秒内断开（ends a credential and the connections opened with it）。")
@click.argument("thing")
@click.argument("identifier")
@click.option("--reason", required=True, help="理由（reason）。")
@instance("data", running=True, boot=True, handed_over=True)
def revoke(thing: str, identifier: str, reason: str) -> None:
    from haitang.support.infrastructure.credentials import actions, queries
    from haitang.support.infrastructure.things.queries import get

    with acting(system("operator")) as act:
        actions.revoke(act=act, credential=queries.get(get(thing), identifier), reason=reason)
    click.echo(f"凭据 {identifier} 已吊销。")


@command.command("list", help="列出一台设备的凭据（lists a device's credentials）。")
@click.argument("thing")
@instance("data", running=True, boot=True, handed_over=True)
@as_json
def listed(thing: str, as_json: bool) -> None:
    from haitang.support.infrastructure.credentials import queries
    from haitang.support.infrastructure.things.queries import get

    now = clock.now()
    rows = [
        {
            "identifier": each.identifier,
            "label": each.label,
            "holds": each.holds(now),
            "last_used": each.last_used,
            "last_address": each.last_address,
        }
        for each in queries.of(get(thing))
    ]
    show(
        rows,
        as_json,
        "\n".join(f"{row['identifier']}  {'有效' if row['holds'] else '失效'}  {row['label']}" for row in rows) or "没有凭据。",
    )


def _tell(identifier: str, secret: str, as_json: bool) -> None:
    show({"identifier": identifier, "secret": secret}, as_json, f"标识（用户名）：{identifier}\n密钥（口令，只显示这一次）：{secret}")
