"""What a move does besides moving: registered words under `does`.

    @effect("notifies")
    def notifies(*, act: Act, run: Run, state: State, argument: str, answers: Mapping[str, Any]) -> None: ...

An effect runs in the transaction of the move. `notifies` is known here, and carried out by the rooms whose subjects it is about. `assigns` is the engine's own: it reads the answers `organization` and `person` (see `assignment`).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from haitang.base.actions import Act
from haitang.hub.business.procedures.engine import State
from haitang.hub.business.procedures.kinds import Move

if TYPE_CHECKING:
    from haitang.hub.business.procedures.models import Run


class Effect(Protocol):
    """What a registered word does."""

    def __call__(self, *, act: Act, run: "Run", state: State, argument: str, answers: Mapping[str, Any]) -> None: ...


effects: dict[str, list[Effect]] = {"assigns": [], "notifies": []}


def effect(word: str) -> Callable[[Effect], Effect]:
    """Register what `word` does; several rooms may add to one word, each for the subjects that it knows."""

    def register(function: Effect) -> Effect:
        known = effects.setdefault(word, [])
        if function not in known:
            known.append(function)
        return function

    return register


def assignment(move: Move, answers: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The organization and person that a move with `assigns` names in its answers."""
    if "assigns" not in [word for word, _ in move.effects]:
        return None, None
    return answers.get("organization") or None, answers.get("person") or None


def carry_out(move: Move, *, act: Act, run: "Run", state: State, answers: Mapping[str, Any]) -> None:
    """Run every effect of a move, in the order it is written."""
    for word, argument in move.effects:
        for function in effects[word]:
            function(act=act, run=run, state=state, argument=argument, answers=answers)
