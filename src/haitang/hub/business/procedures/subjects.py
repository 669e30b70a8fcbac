"""What runs are about. A higher room registers each kind of subject, so that the engine can name it, link to it and tell it what changed.

subject("case").register(CaseSubject())
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from haitang.base.actions import Act
from haitang.base.errors import error
from haitang.hub.business.procedures.engine import State

if TYPE_CHECKING:
    from haitang.hub.business.procedures.models import Run

NO_SUBJECT = error("procedures.no_subject", 500, "没有模块登记“{kind}”类事项，无法推进它的流程。请报告平台维护人员。")


@dataclass(frozen=True)
class Described:
    """How people know a subject: `title` and `number` for a notice, `link` to its page."""

    title: str
    link: str
    number: str


class Subject(Protocol):
    """A kind of subject."""

    def describe(self, id: str) -> Described: ...

    def changed(self, *, act: Act, run: "Run", state: State) -> None:
        """The run of this subject has a new state, in the same transaction: keep mirrors in step."""
        ...


subjects: dict[str, Subject] = {}


def subject(kind: str) -> Subject:
    """The registered kind of subject; raises NO_SUBJECT."""
    if kind not in subjects:
        raise NO_SUBJECT(kind=kind)
    return subjects[kind]
