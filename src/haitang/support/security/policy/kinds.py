"""Kinds of policy: policy."""

from haitang.base.declarations import Declaration, Text, kind


@kind("policy", title="授权规则", folder="policies", shape="cedar", where="application,place")
class Policy(Declaration):
    """Cedar policies of an application or a place, under one title.

    What they may name stands in docs/explanation/people-and-policy.md: `principal in Role::"…"`, `action in Action::"case.read"` (a permission) or
    `Action::"case.*"` (all of a room's), `resource.organization`, `.division`, `.level`, `.stage`, `.owner`, `.kind`. A policy adds to what roles may (`permit`) or
    takes away from it (`forbid`); nothing permits what a `forbid` forbids. `basis` is its legal basis, `ask` says to whom a refused person may turn.
    """

    title: Text
    basis: Text | None = None
    ask: Text | None = None
    cedar: str
