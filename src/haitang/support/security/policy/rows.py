"""Which rows a permission covers, for lists: the policies are evaluated with the resource unknown, and what remains becomes a filter.

So a list of 10,000 rows asks once, in the query, and shows what `decide` would allow row by row. What remains of a policy may compare attributes of the resource,
and, or and not them; a check refuses policies that say more (`policy.reads_as_a_filter`), and at run time such a policy permits nothing and forbids everything.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

import cedarpy
from django.db.models import Q

from haitang.base.actions import Actor
from haitang.support.security.policy.engine import KEPT, NONE, Circumstances, Engine, engine, once
from haitang.support.security.policy.entities import Subject, divisions_above
from haitang.support.security.policy.language import text

ATTRIBUTES = ("ref", "kind", "organization", "division", "owner", "level", "stage", "sharing", "device")
_COMPARE = {"==": "exact", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


@dataclass(frozen=True)
class Filter:
    """A condition on a row. `op`: true, false, and, or, not, has, in (one of `value`), division (in it), ==, <, <=, >, >=."""

    op: str
    parts: tuple["Filter", ...] = ()
    attribute: str = ""
    value: Any = None

    def holds(self, subject: Subject) -> bool:
        """Whether a row that is there passes."""
        match self.op:
            case "true" | "false":
                return self.op == "true"
            case "and":
                return all(part.holds(subject) for part in self.parts)
            case "or":
                return any(part.holds(subject) for part in self.parts)
            case "not":
                return not self.parts[0].holds(subject)
        found = getattr(subject, self.attribute)
        return found is not None and (self.op == "has" or _holds(self.op, found, self.value))

    def settled(self, columns: Collection[str], fixed: Mapping[str, Any]) -> "Filter":
        """What is left to ask of each row. `fixed`: attributes that are alike in every row; those that are neither there nor in `columns` are absent."""
        match self.op:
            case "true" | "false":
                return self
            case "and" | "or" | "not":
                parts = [part.settled(columns, fixed) for part in self.parts]
                return negated(parts[0]) if self.op == "not" else reduce(both if self.op == "and" else either, parts)
        if self.attribute in fixed:
            return TRUE if self.holds(Subject(**{self.attribute: fixed[self.attribute]})) else FALSE
        return self if self.attribute in columns else FALSE

    def q(self, columns: Mapping[str, str], fixed: Mapping[str, Any] | None = None) -> Q:
        """As a condition of Django. `columns`: attribute -> field; `fixed` as in `settled`."""
        return _q(self.settled(columns, fixed or {}), columns)

    def sql(self, columns: Mapping[str, str], fixed: Mapping[str, Any] | None = None) -> tuple[str, list[Any]]:
        """As a condition of DuckDB with its parameters, just `true` where every row passes; `columns` are SQL expressions."""
        return _sql(self.settled(columns, fixed or {}), columns)


TRUE, FALSE = Filter("true"), Filter("false")


def _holds(op: str, found: Any, value: Any) -> bool:
    match op:
        case "in":
            return found in value
        case "division":
            return found == value or value in divisions_above(found)
        case "==":
            return bool(found == value)
    return bool({"<": found < value, "<=": found <= value, ">": found > value, ">=": found >= value}[op])


def _q(left: Filter, columns: Mapping[str, str]) -> Q:
    match left.op:
        case "true":
            return ~Q(pk__in=[])
        case "false":
            return Q(pk__in=[])
        case "and" | "or" | "not":
            parts = [_q(part, columns) for part in left.parts]
            return ~parts[0] if left.op == "not" else reduce(and_ if left.op == "and" else or_, parts)
    return _atom(left, columns[left.attribute])


def _sql(left: Filter, columns: Mapping[str, str]) -> tuple[str, list[Any]]:
    match left.op:
        case "true" | "false":
            return left.op, []
        case "and" | "or" | "not":
            parts = [_sql(part, columns) for part in left.parts]
            written = f" {left.op} ".join(text for text, _ in parts) if left.op != "not" else f"not {parts[0][0]}"
            return f"({written})", [value for _, values in parts for value in values]
    return _sql_atom(left, columns[left.attribute])


def _atom(atom: Filter, field: str) -> Q:
    there = Q(**{f"{field}__isnull": False})
    if atom.attribute in ("division", "stage", "owner", "device"):
        there &= ~Q(**{field: ""})  # an empty text is an absent attribute
    match atom.op:
        case "has":
            return there
        case "in":
            return Q(**{f"{field}__in": list(atom.value)})
        case "division":
            return Q(**{f"{field}__startswith": atom.value})
    return there & Q(**{f"{field}__{_COMPARE[atom.op]}": atom.value})


def _sql_atom(atom: Filter, column: str) -> tuple[str, list[Any]]:
    match atom.op:
        case "has":
            return f"({column} is not null)", []
        case "in":
            return f"coalesce({column} in ({', '.join('?' * len(atom.value))}), false)", list(atom.value)
        case "division":
            return f"coalesce(starts_with({column}, ?), false)", [atom.value]
    return f"coalesce({column} {'=' if atom.op == '==' else atom.op} ?, false)", [atom.value]


# -- from what Cedar leaves over ---------------------------------------------------------------------------------------------------------------------


class NoFilter(ValueError):
    """What remains of a policy is not a comparison of the resource's attributes."""


def rows(actor: Actor, permission: str, around: Circumstances = NONE) -> Filter:
    """The rows on which `actor` has `permission`."""
    of, key = engine(), (actor, permission, around)
    found = of.reaches.get(key)
    if found is None:
        if len(of.reaches) > KEPT:
            of.reaches.clear()
        found = of.reaches[key] = work_out(of, actor, permission, around)
    assert isinstance(found, Filter)
    return found


def work_out(of: Engine, actor: Actor, permission: str, around: Circumstances) -> Filter:
    """The same of a given set of policies."""
    request = of.request(actor, permission, around)
    texts = {
        "principal": _uid(request["principal"]), "action": _uid(request["action"]), "context": request["context"], "resource": None,
    }  # fmt: skip
    answer = cedarpy.is_authorized_partial(texts, of.set, once(of.asked(actor, permission)))
    if answer.diagnostics.errors:
        return FALSE
    permits: list[Filter] = []
    forbids: list[Filter] = []
    for residual in answer.residuals.values():
        (permits if residual["effect"] == "permit" else forbids).append(_of_residual(residual, of))
    return both(some(permits), negated(some(forbids)))


def _uid(reference: Any) -> str:
    return f"{reference['type']}::{text(reference['id'])}"


def _of_residual(residual: Mapping[str, Any], of: Engine) -> Filter:
    try:
        found = TRUE
        for condition in residual["conditions"]:
            part = _read(condition["body"], of)
            found = both(found, part if condition["kind"] == "when" else negated(part))
        return found
    except NoFilter:
        return FALSE if residual["effect"] == "permit" else TRUE


def both(left: Filter, right: Filter) -> Filter:
    if FALSE in (left, right):
        return FALSE
    if left in (TRUE, right):
        return right
    return left if right == TRUE else Filter("and", (left, right))


def either(left: Filter, right: Filter) -> Filter:
    if TRUE in (left, right):
        return TRUE
    if left in (FALSE, right):
        return right
    return left if right == FALSE else Filter("or", (left, right))


def some(parts: list[Filter]) -> Filter:
    found = FALSE
    for part in parts:
        found = either(found, part)
    return found


def negated(part: Filter) -> Filter:
    return {"true": FALSE, "false": TRUE}.get(part.op) or Filter("not", (part,))


def _read(body: Mapping[str, Any], of: Engine) -> Filter:
    ((op, inside),) = body.items()
    if op == "Value" and isinstance(inside, bool):
        return TRUE if inside else FALSE
    if op in ("&&", "||"):
        left, right = _read(inside["left"], of), _read(inside["right"], of)
        return both(left, right) if op == "&&" else either(left, right)
    if op == "!":
        return negated(_read(inside["arg"], of))
    if op == "has" and "unknown" in inside["left"]:
        return Filter("has", attribute=_known(inside["attr"]))
    if op == "is" and "unknown" in inside["left"]:
        return TRUE if inside["entity_type"] == "Resource" else FALSE
    if op == "contains" and "Set" in inside["left"]:
        wanted = tuple(_plain(each.get("Value"))[0] for each in inside["left"]["Set"])
        return Filter("in", attribute=_attribute(inside["right"]), value=wanted)
    if op in ("==", "!=", "in", "<", "<=", ">", ">="):
        return _comparison(op, inside["left"], inside["right"], of)
    raise NoFilter(op)


_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def _comparison(op: str, left: Mapping[str, Any], right: Mapping[str, Any], of: Engine) -> Filter:
    if "Value" in left and op in _TURNED:
        left, right, op = right, left, _TURNED[op]
    if "Value" not in right:
        raise NoFilter(op)
    attribute = (
        "ref" if "unknown" in left else _known(left.get(".", {}).get("attr", "")) if "unknown" in left.get(".", {}).get("left", {}) else ""
    )
    value, type = _plain(right["Value"])
    if not attribute:
        raise NoFilter(op)
    if op == "!=":
        return negated(Filter("==", attribute=attribute, value=value))
    if op != "in":
        return Filter(op, attribute=attribute, value=value)
    if attribute == "division":
        return Filter("division", attribute=attribute, value=value)
    return Filter("in", attribute=attribute, value=tuple(of.within(value)) if type == "Organization" else (value,))


def _attribute(side: Mapping[str, Any]) -> str:
    """What of the resource one side of a comparison is; the resource itself is its ref."""
    if "unknown" in side:
        return "ref"
    if "unknown" in side.get(".", {}).get("left", {}):
        return _known(side["."]["attr"])
    raise NoFilter


def _known(attribute: str) -> str:
    if attribute not in ATTRIBUTES:
        raise NoFilter(attribute)
    return attribute


def _plain(value: Any) -> tuple[Any, str]:
    if isinstance(value, dict) and "__entity" in value:
        return value["__entity"]["id"], value["__entity"]["type"]
    if isinstance(value, str | int):
        return value, ""
    raise NoFilter(type(value).__name__)
