"""The kind `procedure`: stages, moves, clocks and who may not verify their own work."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from haitang.base.declarations import Declaration, LimitText, Reference, Text, Tunable, Word, kind
from haitang.hub.business.procedures.condition import parse


def _condition(written: str) -> str:
    parse(written)
    return written


ConditionText = Annotated[str, AfterValidator(_condition)]

_strict = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Stage(BaseModel):
    """A stage; `within` is its own limit, started on entry."""

    model_config = _strict

    title: Text
    within: Annotated[LimitText, Tunable("本环节时限")] | None = None
    end: bool = False


class Move(BaseModel):
    """A move from one or several stages to one.

    `by`: the role (or roles) that may make it; `not_by`: a move whose maker may not make this one (separation of duties; the latest maker counts);
    `only: assigned`: of those roles, only people of the organization (and the person) that the latest `assigns` named;
    `asks`: questions of the form `moves`, or the id of a form; `does`: effects in registered words (`assigns`, `notifies: handler`, ...).

    `if`: the move is possible only while this condition is true: `case.severity in ['serious', 'critical']`, `answers.result == 'solved'`,
    `not case.cause_cleared`. `answers` are those to this move, else the latest of the run. `otherwise`: what a person is told where it is not true.

    `after`: the move goes by itself once the stage has lasted so long on that clock (pauses do not count). A move without `by` and `each` goes
    only by itself: `after` its time, or as soon as its `if` is true; where several could, the one that is written first. With `by`, people may be faster.

    `each`: several must answer before the run moves on, in any order and each by another person: roles, or organization roles
    (`each: [ecology_bureau, water_bureau]`: anyone of that organization who has a role under `by`). Other moves of the stage stay possible;
    leaving the stage takes the answers back. With `after`, who is silent until then no longer holds it up.
    """

    model_config = _strict

    title: Text
    from_: Word | list[Word] = Field(alias="from")
    to: Word
    by: Annotated[str | list[str], Reference("role")] = []
    not_by: Word | list[Word] = []
    if_: ConditionText | None = Field(default=None, alias="if")
    otherwise: Text | None = None
    after: Annotated[LimitText, Tunable("多久后自动办理")] | None = None
    each: list[Word] = []
    only: Literal["assigned"] | None = None
    asks: list[Word] = []
    does: list[str | dict[str, str]] = []

    @property
    def effects(self) -> list[tuple[str, str]]:
        """The registered words under `does`, each with its argument (empty where it has none)."""
        return [pair for word in self.does for pair in ([(word, "")] if isinstance(word, str) else list(word.items()))]

    @property
    def sources(self) -> list[str]:
        return [self.from_] if isinstance(self.from_, str) else list(self.from_)

    @property
    def roles(self) -> list[str]:
        """Who may make it; nobody where it goes only by itself. Without `by`, those who must answer."""
        return [self.by] if isinstance(self.by, str) else list(self.by or self.each)

    @property
    def by_itself(self) -> bool:
        return self.after is not None or not self.roles

    @property
    def barred(self) -> list[str]:
        return [self.not_by] if isinstance(self.not_by, str) else list(self.not_by)


class LegalLimit(BaseModel):
    """The legal deadline of the whole run, from start to an end stage. The one in force on the day of the start counts (`from`)."""

    model_config = _strict

    from_: date = Field(alias="from")
    within: Annotated[LimitText, Tunable("法定时限")]
    basis: Text


class Pause(BaseModel):
    """A reason for which the clocks stop. `by`: who may pause; `at_most`: the pause ends by itself after this."""

    model_config = _strict

    title: Text
    by: Annotated[str | list[str], Reference("role")]
    at_most: LimitText = Field(alias="at most")

    @property
    def roles(self) -> list[str]:
        return [self.by] if isinstance(self.by, str) else list(self.by)


class Extension(BaseModel):
    """An extension of the legal deadline: asked by one role, approved by another, at most `times` times."""

    model_config = _strict

    by: Annotated[str | list[str], Reference("role")]
    approved_by: Annotated[str | list[str], Reference("role")]
    at_most: LimitText = Field(alias="at most")
    times: int = Field(default=1, ge=1)

    @property
    def roles(self) -> list[str]:
        return [self.by] if isinstance(self.by, str) else list(self.by)

    @property
    def approvers(self) -> list[str]:
        return [self.approved_by] if isinstance(self.approved_by, str) else list(self.approved_by)


class Escalation(BaseModel):
    """Who is told: `before` the deadline (due soon) or `after` it (overdue, 督办)."""

    model_config = _strict

    before: Annotated[LimitText, Tunable("提前多久提醒")] | None = None
    after: Annotated[LimitText, Tunable("超期多久督办")] | None = None
    tells: Annotated[list[str], Reference("role")]


@kind("procedure", title="流程", folder="procedures")
class Procedure(Declaration):
    """A procedure: everything that has stages runs on one engine.

    `limits`: dated legal deadlines; `pauses` and `extension` are the only ways a clock stops or a deadline moves. Moves are made by people, or go by
    themselves (`after`, `if`), or wait for several (`each`).
    `reports_start`: the stage in which a report begins of which somebody must first decide whether it is taken on (立案 or 不予立案); without it, reports
    begin at `start` like everything else.
    `stage_map`: what stages of open runs become when a release changes them (old -> new).
    """

    title: Text
    start: Word
    reports_start: Word | None = None
    stages: dict[Word, Stage]
    moves: dict[Word, Move]
    limits: list[LegalLimit] = []
    pauses: dict[Word, Pause] = {}
    extension: Extension | None = None
    escalations: list[Escalation] = []
    stage_map: dict[Word, Word] = {}

    def acts_anywhere(self, role: str) -> bool:
        """Whether `role` makes a move whoever has the matter: not only where it is assigned to its own organization."""
        return any(move.only is None and role in move.roles for move in self.moves.values())
