"""`haitang evidence rotate-key`, `mark-compromised`, `keys`."""

from datetime import datetime
from typing import Any

import click

from haitang.server.cli.options import as_json, instance, show

TIME = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.command(
    "rotate-key",
    help="换用新的签名密钥，由旧密钥签署（A new signing key, endorsed by the old one）。\n\n"
    "新公钥立即公布，自 --from 起签名（默认现在）；套件按设置 suite。旧封存仍由旧公钥核验，只凭首把公钥即可逐把核验到最新。",
)
@click.option("--from", "starts_at", type=TIME, help="新密钥的启用时间，中国时间（it signs from then on, China time）。")
@click.option("--without-old-key", is_flag=True, help="旧私钥已丢失：新密钥是新的起点，须另行公布（the old private key is lost）。")
@instance("data", boot=True, running=True)
@as_json
def rotate_key(starts_at: datetime | None, without_old_key: bool, as_json: bool) -> None:
    from haitang.base.actions import acting, system
    from haitang.base.clock import CHINA
    from haitang.support.security.evidence.keyring import key_json
    from haitang.support.security.evidence.keyring import rotate_key as rotate

    with acting(system("operator")) as act:
        key = rotate(act=act, starts_at=starts_at.replace(tzinfo=CHINA) if starts_at else None, without_old_key=without_old_key)
    told = key_json(key)
    show(told, as_json, f"新密钥 {key.id}（{key.suite}），自 {_local(key.starts_at)} 起签名。公钥：{key.public}")


@click.command(
    "mark-compromised",
    help="声明一把签名密钥自某时起已泄露：此后由它签署的封存不再可信（From then on its signatures prove nothing）。\n\n"
    "KEY 是密钥编号。正在使用的密钥同时换新。",
)
@click.argument("key")
@click.option("--since", type=TIME, required=True, help="泄露时间，中国时间（since when, China time）。")
@click.option("--reason", default="unspecified", help="原因代码，不含个人信息（a word, no personal data）。")
@instance("data", boot=True, running=True)
@as_json
def mark_compromised(key: str, since: datetime, reason: str, as_json: bool) -> None:
    from haitang.base.actions import acting, system
    from haitang.base.clock import CHINA
    from haitang.support.security.evidence.keyring import compromise_json
    from haitang.support.security.evidence.keyring import mark_compromised as mark

    with acting(system("operator")) as act:
        made = mark(act=act, key=key, since=since.replace(tzinfo=CHINA), reason=reason)
    show(compromise_json(made), as_json, f"已声明密钥 {key} 自 {_local(made.since)} 起泄露，由 {made.by_id} 签署。")


@click.command("keys", help="列出签名密钥，首把是离线核验只需记住的那一把（The signing keys; pin the first）。")
@instance("data", boot=True, running=True)
@as_json
def list_keys(as_json: bool) -> None:
    from haitang.support.security.evidence.keyring import key_json
    from haitang.support.security.evidence.keyring import keys as every

    found = every()
    lines = [f"{key.id}  {key.suite}  自 {_local(key.starts_at or key.created_at)}  {_state(key)}{key.public}" for key in found]
    show([key_json(key) for key in found], as_json, "\n".join(lines) or "还没有密钥，首次封存时生成。")


def _state(key: Any) -> str:
    marked = key.compromises.order_by("since").first()
    return f"已泄露，自 {_local(marked.since)}  " if marked else ""


def _local(at: Any) -> str:
    from haitang.base.clock import CHINA

    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}"


@click.command(
    "admit-node",
    help="登记一个下级节点，此后它可报来每日根（Let a node below hand in its daily roots）。\n\n"
    "NODE 是其区划代码；--key 是其首把公钥（由该节点 haitang evidence keys 列出，经可靠途径得到）。下级节点的设置 upstream_url 指向本节点。",
)
@click.argument("node")
@click.option("--key", required=True, help="首把公钥，十六进制（its first public key, hex）。")
@click.option("--title", default="", help="名称（its name）。")
@instance("data", boot=True, running=True)
@as_json
def admit_node(node: str, key: str, title: str, as_json: bool) -> None:
    from haitang.base.actions import acting, system
    from haitang.support.security.evidence.downstream import admit_node as admit

    with acting(system("operator")) as act:
        made = admit(act=act, node=node, title=title or node, public=key)
    show({"node": made.node, "title": made.title, "public": made.public}, as_json, f"已登记下级节点 {made.node}（{made.title}）。")
