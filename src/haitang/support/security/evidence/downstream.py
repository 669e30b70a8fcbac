"""The nodes below: who they are, and the roots that they can no longer take back."""

from datetime import UTC, date
from typing import Any

from haitang.base.actions import Act, acting, action, system
from haitang.base.errors import error
from haitang.support.security.cryptography.suites import SUITES
from haitang.support.security.evidence.days import contradiction, day_holds, receipt_statement
from haitang.support.security.evidence.keyring import key_json, sign, signing_key
from haitang.support.security.evidence.models import DownstreamNode, DownstreamRoot

NOT_DOWNSTREAM = error(
    "evidence.not_downstream", 403, "本节点没有登记下级节点 {node}。请在本节点执行 haitang evidence admit-node {node} --key 公钥。"
)
NOT_SIGNED_BY_NODE = error("evidence.not_signed_by_node", 422, "{node} 报来的 {date} 根没有由其登记的公钥（或其后继）正确签名。")
CONTRADICTS = error("evidence.contradicts", 409, "{node} 报来的 {date} 根与先前报来的不一致（{why}），已拒绝并留证。")
BAD_ROOT = error("evidence.bad_root", 422, "报来的内容缺少必要的项，或格式不对。")
BAD_PUBLIC = error("evidence.bad_public_key", 422, "“{public}”不是可用的十六进制公钥。")


@action("evidence.admit_node", title="登记下级节点")
def admit_node(*, act: Act, node: str, title: str, public: str) -> DownstreamNode:
    """Let a node below hand in its roots, held to its root key (raw, hex). A node that is there already takes the new key. Raises BAD_PUBLIC."""
    sizes = {len(suite.public(suite.generate())) * 2 for suite in SUITES.values()}
    if len(public) not in sizes or any(digit not in "0123456789abcdef" for digit in public):
        raise BAD_PUBLIC(public=public[:16])
    found, _ = DownstreamNode.objects.update_or_create(node=node, defaults={"title": title, "public": public, "admitted_at": act.at})
    act.record("node", node, {"title": title, "public": public})
    return found


@action("evidence.accept_root", title="接收下级节点的根")
def accept_root(*, act: Act, node: DownstreamNode, day: dict[str, Any]) -> DownstreamRoot:
    """Keep a node's root of a day, with a receipt signed by this node."""
    ref = act.record("node_day", f"{node.node}:{day['date']}", {"root": day["root"], "head": day["head"], "last_seal": day["last_seal"]})
    key, private = signing_key()
    told = {
        "by": _own_node(), "node": node.node, "date": day["date"], "root": day["root"], "head": day["head"],
        "received_at": act.at.astimezone(UTC).isoformat(timespec="microseconds"), "record": ref, "key": key.id,
    }  # fmt: skip
    receipt = {**told, "signature": sign(key, private, receipt_statement(told)), "signed_by": key_json(key)}
    return DownstreamRoot.objects.create(
        node=node, date=date.fromisoformat(day["date"]), statement=day, receipt=receipt, received_at=act.at
    )


@action("evidence.refuse_root", title="拒绝下级节点的根")
def refuse_root(*, act: Act, node: DownstreamNode, day: dict[str, Any], why: str) -> None:
    """Keep that a node told two stories of one day: both are signed by it."""
    act.record(
        "node_day", f"{node.node}:{day['date']}", {"root": day["root"], "head": day["head"], "why": why, "signature": day["signature"]}
    )


def hand_in(told: Any) -> dict[str, Any]:
    """What a node below hands in, `{day, keys}`: checked, kept and receipted. The same again gives the same receipt.

    Raises BAD_ROOT, NOT_DOWNSTREAM, NOT_SIGNED_BY_NODE, CONTRADICTS.
    """
    day, node = _checked(told)
    earlier = list(DownstreamRoot.objects.filter(node=node).order_by("-date"))
    why = contradiction(day, [each.statement for each in earlier])
    if why is not None:
        with acting(system("downstream")) as act:
            refuse_root(act=act, node=node, day=day, why=why)
        raise CONTRADICTS(node=node.node, date=day["date"], why=why)
    for each in earlier:
        if each.date.isoformat() == day["date"]:
            return dict(each.receipt)
    with acting(system("downstream")) as act:
        return dict(accept_root(act=act, node=node, day=day).receipt)


def _checked(told: Any) -> tuple[dict[str, Any], DownstreamNode]:
    try:
        day, keys = dict(told["day"]), list(told["keys"])[:200]
        date.fromisoformat(day["date"])
        found = DownstreamNode.objects.filter(node=str(day["node"])).first()
        if found is None:
            raise NOT_DOWNSTREAM(node=str(day["node"])[:32])
        if not day_holds(day, keys, bytes.fromhex(found.public)):
            raise NOT_SIGNED_BY_NODE(node=found.node, date=day["date"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BAD_ROOT() from None
    return day, found


def _own_node() -> str:
    from haitang.support.security.evidence.daily import node

    return node()
