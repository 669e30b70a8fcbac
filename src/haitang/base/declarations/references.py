"""References: each id that a declaration names must be declared.

Some words are no declarations of their own: an organization role (`ecology_bureau`) is filled by an organization. The room that knows them registers

    @words("organization role")
    def filled(declarations: Declarations) -> Iterable[str]: ...
"""

from collections.abc import Callable, Iterable, Mapping

from haitang.base.declarations import faults
from haitang.base.declarations.build import nearest, place
from haitang.base.declarations.checks import Problem
from haitang.base.declarations.files import Raw
from haitang.base.declarations.in_force import Declarations
from haitang.base.declarations.kinds import all_kinds
from haitang.base.declarations.model import Declaration
from haitang.base.declarations.walk import references, references_written

Words = Callable[[Declarations], Iterable[str]]


class RegisteredWords:
    """Words of one sort, with the title that a message uses."""

    def __init__(self, title: str, function: Words) -> None:
        self.title = title
        self.function = function


registered: dict[str, RegisteredWords] = {}


def words(name: str, *, title: str) -> Callable[[Words], Words]:
    """Register the words that `Reference(name)` may name; they come from the place."""

    def register(function: Words) -> Words:
        registered[name] = RegisteredWords(title, function)
        return function

    return register


def unresolved(
    built: Iterable[tuple[Raw, Declaration]],
    declarations: Declarations,
    written: Mapping[str, set[str]],
    *,
    with_place: bool,
    unbuilt: Iterable[Raw] = (),
) -> Iterable[Problem]:
    """A problem for each reference that names nothing, in those `unbuilt` for a fault of their own too. `written`: ids by kind, those with faults
    included, so that one fault is reported once. Without a place its words and declarations are not known, and are not missed."""
    known: dict[str, set[str]] = {kind: set(ids) for kind, ids in written.items()}
    for name, source in registered.items():
        known[name] = set(source.function(declarations))
    found = [(raw, each) for raw, declared in built for each in references(declared)]
    found += [(raw, each) for raw in unbuilt if isinstance(raw.data, dict) for each in references_written(raw.kind.model, raw.data)]
    for raw, (spot, mark) in found:
        if spot.value in known.get(mark.kind, set()) or (not with_place and _of_place(mark.kind)):
            continue
        problem = faults.UNRESOLVED.problem(
            id=str(spot.value), kind=title_of(mark.kind), near=nearest(str(spot.value), known.get(mark.kind, set()))
        )
        yield place(problem, raw, spot.path)


def _of_place(kind: str) -> bool:
    return kind in registered or (kind in all_kinds() and all_kinds()[kind].where == frozenset({"place"}))


def title_of(kind: str) -> str:
    if kind in registered:
        return registered[kind].title
    return all_kinds()[kind].title if kind in all_kinds() else kind
