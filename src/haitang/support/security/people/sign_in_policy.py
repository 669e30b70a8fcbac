"""The sign-in policy in force for a sort of account."""

from collections.abc import Iterable
from datetime import timedelta

from haitang.base.declarations import in_force
from haitang.base.durations import parse_span
from haitang.base.errors import HaitangError
from haitang.support.security.people.kinds import SignIn

_WITHOUT = SignIn(title="登录策略")


def policy_for(sort: str) -> SignIn:
    """The declared policy; before the first release, and for a sort without one, every default."""
    try:
        return in_force().all(SignIn).get(sort, _WITHOUT)
    except HaitangError:
        return _WITHOUT


def lives(sort: str) -> tuple[timedelta, timedelta]:
    """How long a session lives without a click, and at most."""
    policy = policy_for(sort)
    return parse_span(policy.idle), parse_span(policy.session)


def proof_lasts(sort: str) -> timedelta:
    """For how long a proof of identity opens sensitive actions."""
    return parse_span(policy_for(sort).proof)


def needs_second_factor(sort: str, roles: Iterable[str]) -> bool:
    """Whether any of these roles asks for a second factor."""
    return bool(set(roles) & set(policy_for(sort).second_factor))
