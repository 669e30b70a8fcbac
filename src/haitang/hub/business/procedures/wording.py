"""Why something may not be done, in the reader's language, with titles in place of ids."""

from haitang.base.declarations import in_force
from haitang.base.durations import parse_limit
from haitang.base.text import translate
from haitang.hub.business.procedures.decide import Reason
from haitang.support.security.people.kinds import Role
from haitang.support.standards.wording import limit_text


def sentence(reason: Reason) -> str:
    """One reason as a person reads it."""
    return translate(reason.text, **{name: _said(name, value) for name, value in reason.data.items()})


def _said(name: str, value: object) -> str:
    if name == "most":
        return limit_text(parse_limit(str(value)))
    if not isinstance(value, list):
        return translate(str(value))
    roles = in_force().all(Role) if name in ("roles", "parts") else {}
    return "、".join(translate(roles[word].title if word in roles else str(word)) for word in value)
