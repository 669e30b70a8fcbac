"""What `haitang check` asks of policies: they parse, fit the schema, permit only what they name, and can filter a list."""

from collections.abc import Iterable, Iterator
from typing import Any

import cedarpy
from cedarpy import pst

from haitang.base.actions import writes
from haitang.base.declarations.build import nearest
from haitang.base.declarations.checks import Context, Problem, check
from haitang.base.declarations.statements import Statement, statements
from haitang.support.security.people.kinds import Role
from haitang.support.security.policy import specs  # noqa: F401 - registers how tables run
from haitang.support.security.policy.kinds import Policy
from haitang.support.security.policy.language import schema
from haitang.support.security.policy.rows import ATTRIBUTES

KEPT_BACK = ("people", "policy", "tokens", "evidence", "declarations")  # rooms whose permissions only the platform's roles give
_READABLE = {"eq", "not_eq", "less", "less_eq", "greater", "greater_eq", "in", "and", "or"}


def _parsed(policy: Policy) -> Iterator[tuple[int, Statement, Any]]:
    """(position, statement, policy as a tree) of each statement that parses."""
    for number, statement in enumerate(statements(policy.cedar)):
        try:
            found = cedarpy.policies_to_pst(statement.text)
        except ValueError:
            continue
        for each in found.static_policies.values():
            yield number, statement, each


@check(Policy)
def parses(policy: Policy, context: Context) -> Iterable[Problem]:
    """Each statement is Cedar, there is at least one, and none is a template or has an `@id` (ids are the file's name)."""
    if not list(statements(policy.cedar)):
        yield Problem("cedar", "文件里没有规则", "写 permit (…) 或 forbid (…)")
    for number, statement in enumerate(statements(policy.cedar)):
        try:
            found = cedarpy.policies_to_pst(statement.text)
        except ValueError as reason:
            yield Problem(f"cedar.{number}", "Cedar 语法不通：{reason}", "每条规则以分号结束，括号和引号成对", data={"reason": str(reason)})
            continue
        if found.templates or any("id" in tree.annotations for tree in found.static_policies.values()):
            yield Problem(f"cedar.{number}", "这里不用 @id，也不用 ?principal、?resource", "规则的名称就是文件名；写明具体的角色和资源")


@check(Policy)
def fits_the_schema(policy: Policy, context: Context) -> Iterable[Problem]:
    """Every type, attribute and action exists, an optional attribute is asked for with `has` first, and every role is declared."""
    if context.permissions is None:
        return
    written = schema(context.permissions, writes)
    for number, statement, tree in _parsed(policy):
        for found in cedarpy.validate_policies(statement.text, written).errors:
            reason = found.error.partition("`, ")[2] or found.error
            yield Problem(f"cedar.{number}", "与授权模型不符：{reason}", "{near}", data={"reason": reason, "near": _near(reason, context)})
        yield from _roles(number, tree, context)


def _near(reason: str, context: Context) -> str:
    word = reason.partition('Action::"')[2].partition('"')[0]
    return nearest(word, context.permissions or ()) if word else "属性用 has 先问有没有，如 resource has division && …"


def _roles(number: int, tree: Any, context: Context) -> Iterable[Problem]:
    roles = context.all(Role)
    for uid in pst.entity_uids(tree):
        if str(uid.type) == "Role" and uid.id not in roles:
            yield Problem(f"cedar.{number}", "没有声明角色“{role}”", "{near}", data={"role": uid.id, "near": nearest(uid.id, roles)})


@check(Policy)
def permits_what_it_names(policy: Policy, context: Context) -> Iterable[Problem]:
    """A `permit` names whom and which actions, and gives nothing that the platform keeps for its own officers."""
    for number, _, tree in _parsed(policy):
        if tree.effect != "permit":
            continue
        actions = sorted(uid.id for uid in pst.entity_uids(tree.action))
        if not actions or isinstance(tree.principal, pst.ScopeAny):
            yield Problem(
                f"cedar.{number}", "permit 要写明给谁、给哪些权限", '写成 permit (principal in Role::"…", action == Action::"…", resource)'
            )
        for word in actions:
            if word in ("reads", "writes") or word.partition(".")[0] in KEPT_BACK:
                yield Problem(f"cedar.{number}", "“{word}”不能由应用或地方授予", "这类权限只由平台的角色给予", data={"word": word})


@check(Policy)
def reads_as_a_filter(policy: Policy, context: Context) -> Iterable[Problem]:
    """Conditions on the resource compare its attributes with values, so that a list can ask them in its query."""
    for number, _, tree in _parsed(policy):
        for clause in tree.clauses:
            if not _readable(clause.expr):
                yield Problem(
                    f"cedar.{number}",
                    "条件不能用来筛选列表",
                    "对资源只用 has、==、!=、<、<=、>、>=、in、&&、||、!，右边是值或发起人的属性",
                )


def _asks_resource(node: Any) -> bool:
    return any(isinstance(each, pst.Var) and each.name == "resource" for each in _nodes(node))


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for name in getattr(node, "__dataclass_fields__", {}):
        value = getattr(node, name)
        for each in value if isinstance(value, tuple) else (value,):
            if hasattr(each, "__dataclass_fields__"):
                yield from _nodes(each)


def _attribute(node: Any) -> bool:
    """`resource` itself, or one of its attributes."""
    if isinstance(node, pst.GetAttr):
        return isinstance(node.base, pst.Var) and node.base.name == "resource" and node.attr in ATTRIBUTES
    return isinstance(node, pst.Var)


def _readable(node: Any) -> bool:
    if not _asks_resource(node):
        return True
    if isinstance(node, pst.UnaryOp):
        return node.op == "not" and _readable(node.arg)
    if isinstance(node, pst.HasAttr):
        return isinstance(node.base, pst.Var) and len(node.attrs) == 1
    if isinstance(node, pst.Is):
        return True
    if not isinstance(node, pst.BinaryOp) or node.op not in _READABLE:
        return False
    if node.op in ("and", "or"):
        return _readable(node.left) and _readable(node.right)
    one, other = (node.left, node.right) if _asks_resource(node.left) else (node.right, node.left)
    return _attribute(one) and not _asks_resource(other) and (node.op != "in" or one is node.left)
