"""Loads declarations: reads all files, then builds all models, then resolves every reference. All problems in one run, never an exception.

loaded = load_folders(owners_of(settings()))
loaded.declarations      # None when there is an error
loaded.problems
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from haitang.base.declarations import checks, faults
from haitang.base.declarations.build import build, nearest, place
from haitang.base.declarations.checks import Context, Problem
from haitang.base.declarations.content import content_of, digest_of
from haitang.base.declarations.files import Raw, read_owner
from haitang.base.declarations.functions import check_functions
from haitang.base.declarations.in_force import Declarations
from haitang.base.declarations.locales import check_locales, missing_english
from haitang.base.declarations.model import Declaration
from haitang.base.declarations.overrides import Raws, apply_overrides, tuned
from haitang.base.declarations.owners import Owner, owners_of
from haitang.base.declarations.positions import KeyPath, Position, dotted
from haitang.base.declarations.references import unresolved

__all__ = ["Loaded", "Problem", "Tuning", "load_folders", "owners_of"]


@dataclass(frozen=True)
class Tuning:
    """One approved edit as the loader applies it: after the place's overrides."""

    kind: str
    id: str
    path: KeyPath
    value: Any
    at: Position


@dataclass
class Loaded:
    """What came of loading. `declarations` is None when any problem is an error; `raws` are the declarations as written and tuned."""

    declarations: Declarations | None
    problems: list[Problem]
    owners: list[Owner] = field(default_factory=list)
    raws: Raws = field(default_factory=dict)
    partial: Declarations = field(default_factory=lambda: Declarations("", {}))

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "warning"]


def load_folders(
    owners: Sequence[Owner],
    *,
    tunings: Sequence[Tuning] = (),
    digest: str | None = None,
    permissions: Mapping[str, str] | None = None,
    checked: bool = True,
) -> Loaded:
    """Load what `owners` declare, tuned by the place and by `tunings`.

    `digest`: the digest that the declarations carry (default: of the content). `permissions`: the permission words that exist, for checks.
    `checked=False` builds only, for a release that was checked when it was admitted.
    """
    kept, problems = _distinct(owners)
    read = [(owner, *read_owner(owner)) for owner in kept]
    kept, unknown = _chosen(kept, [raw for _, found, _ in read for raw in found])
    problems += unknown
    raws: Raws = {}
    for owner, found, trouble in read:
        if owner in kept:
            problems += trouble + _gather(raws, found)
    raws, trouble = _tune(raws, kept, tunings)
    problems += trouble
    built, trouble = _build(raws.values())
    problems += trouble
    partial = _declarations(digest if digest is not None else digest_of(content_of(kept)), built, kept)
    problems += _check(kept, built, partial, raws, permissions) if checked else []
    problems = sorted(_once(problems), key=_order)
    failed = any(problem.severity == "error" for problem in problems)
    return Loaded(None if failed else partial, problems, list(kept), raws, partial)


def _order(problem: Problem) -> tuple[str, int, int, str]:
    return (str(problem.file or ""), problem.line, problem.column, problem.code)


def _once(problems: Iterable[Problem]) -> list[Problem]:
    return list({(p.code, p.key_path, p.file, p.line, p.column, p.message): p for p in problems}.values())


def _distinct(owners: Sequence[Owner]) -> tuple[list[Owner], list[Problem]]:
    """Owners that are there, each name once."""
    kept: dict[tuple[str, str], Owner] = {}
    problems = []
    for owner in owners:
        key = ("", owner.name) if owner.where == "application" else (owner.where, owner.name)
        if owner.missing:
            there = sorted(folder.name for folder in owner.folder.parent.glob("*/")) if owner.folder.parent.is_dir() else []
            problems.append(
                faults.NO_FOLDER.problem(name=str(owner.folder), near=nearest(owner.name, there)).located(file=owner.folder, line=1)
            )
        elif key in kept and owner.where != "platform":
            problem = faults.OWNER_TAKEN.problem(name=owner.name, other=str(kept[key].folder))
            problems.append(problem.located(file=owner.folder, line=1, column=1))
        else:
            kept[key if owner.where != "platform" else (str(owner.folder), owner.name)] = owner
    return list(kept.values()), problems


def _chosen(owners: list[Owner], raws: Iterable[Raw]) -> tuple[list[Owner], list[Problem]]:
    """The applications that the place names under `applications` (none named: all)."""
    there = {owner.name for owner in owners if owner.where == "application"}
    wanted: set[str] = set()
    problems = []
    for raw in raws:
        names = raw.data.get("applications") if raw.kind.name == "place" and isinstance(raw.data, dict) else None
        for number, name in enumerate(names if isinstance(names, list) else []):
            wanted.add(str(name))
            if name not in there:
                problem = faults.UNKNOWN_APPLICATION.problem(name=str(name), near=nearest(str(name), there))
                problems.append(place(problem, raw, ("applications", number)))
    return [owner for owner in owners if owner.where != "application" or not wanted or owner.name in wanted], problems


def _gather(raws: Raws, found: Iterable[Raw]) -> list[Problem]:
    problems = []
    for raw in found:
        key = (raw.kind.name, raw.id)
        if key in raws:
            at = raws[key].start
            other = f"{checks.shown(at.file)}:{at.line}"
            problems.append(place(faults.DUPLICATE_ID.problem(id=raw.id, kind=raw.kind.title, other=other), raw, ()))
        else:
            raws[key] = raw
    return problems


def _tune(raws: Raws, owners: Sequence[Owner], tunings: Sequence[Tuning]) -> tuple[Raws, list[Problem]]:
    problems: list[Problem] = []
    for owner in owners:
        if owner.where == "place":
            raws, trouble = apply_overrides(raws, owner)
            problems += trouble
    for tuning in tunings:
        raw = raws.get((tuning.kind, tuning.id))
        if raw is not None:
            raws = {**raws, (tuning.kind, tuning.id): tuned(raw, tuning.path, tuning.value, tuning.at)}
    return raws, problems


def _build(raws: Iterable[Raw]) -> tuple[list[tuple[Raw, Declaration]], list[Problem]]:
    built, problems = [], []
    for raw in raws:
        declared, trouble = build(raw)
        problems += trouble
        if declared is not None:
            built.append((raw, declared))
    return built, problems


def _declarations(digest: str, built: Iterable[tuple[Raw, Declaration]], owners: Sequence[Owner]) -> Declarations:
    by_kind: dict[str, dict[str, Declaration]] = {}
    for raw, declared in built:
        by_kind.setdefault(raw.kind.name, {})[raw.id] = declared
    return Declarations(digest, by_kind, owners=owners)


def _check(
    owners: Sequence[Owner],
    built: list[tuple[Raw, Declaration]],
    declarations: Declarations,
    raws: Raws,
    permissions: Mapping[str, str] | None,
) -> list[Problem]:
    written: dict[str, set[str]] = {}
    for kind, id in raws:
        written.setdefault(kind, set()).add(id)
    with_place = any(owner.where == "place" for owner in owners)
    whole = {(raw.kind.name, raw.id) for raw, _ in built}
    unbuilt = [raw for key, raw in raws.items() if key not in whole]
    problems = list(unresolved(built, declarations, written, with_place=with_place, unbuilt=unbuilt))
    context = Context(declarations, permissions)
    for raw, declared in built:
        problems += _of_rooms(raw, declared, context)
    problems += [problem for owner in owners for problem in check_functions(owner)]
    problems += check_locales(owners)
    return problems + list(missing_english(built, owners))


def _of_rooms(raw: Raw, declared: Declaration, context: Context) -> list[Problem]:
    """The checks of rooms; one that breaks down on this declaration is reported as a problem of it."""
    problems = []
    for registered in checks.checks_of(type(declared)):
        try:
            found = list(registered.function(declared, context))
        except Exception as broken:
            found = [Problem("", "检查 {check} 没有做完：{reason}", data={"check": registered.code, "reason": repr(broken)})]
        for problem in found:
            path = _path(raw, problem.key_path)
            problems.append(place(replace(problem, code=problem.code or registered.code, key_path=problem.key_path), raw, path))
    return problems


def _path(raw: Raw, written: str) -> KeyPath:
    """The longest key path of `written` that the file has; a key may itself contain a dot."""
    parts = written.split(".") if written else []
    by_text = {dotted(path): path for path in raw.positions}
    while parts and ".".join(parts) not in by_text:
        parts.pop()
    return by_text.get(".".join(parts), ())
