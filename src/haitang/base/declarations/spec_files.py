"""Runs the spec tables that owners keep in `tests/*.yaml`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from haitang.base.declarations import faults
from haitang.base.declarations.checks import Problem
from haitang.base.declarations.in_force import Declarations, holding
from haitang.base.declarations.kinds import all_kinds
from haitang.base.declarations.owners import Owner
from haitang.base.declarations.positions import KeyPath, Read, dotted, read_yaml
from haitang.base.declarations.spec import Failure, SpecTable, Table, parse_table, runners


@dataclass
class Ran:
    """How many tables ran, and which expectations did not hold."""

    tables: int = 0
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _File:
    owner: Owner
    relative: str
    read: Read

    def problem(self, fault: faults.Fault, path: KeyPath, *, line: int = 0, **data: Any) -> Problem:
        at = self.read.at(path)
        assert at is not None
        return fault.problem(dotted(path), **data).located(file=at.file, line=line or at.line, column=1 if line else at.column)


def run_specs(owners: Iterable[Owner], declarations: Declarations) -> Ran:
    """Run every table; nothing that a runner does stops the others."""
    ran = Ran()
    with holding(declarations):
        for owner in owners:
            for relative, text in owner.files.items():
                if relative.startswith("tests/") and relative.endswith(".yaml"):
                    ran.tables += 1
                    ran.problems += _run(_File(owner, relative, read_yaml(text, owner.path(relative))), declarations)
    return ran


def _run(file: _File, declarations: Declarations) -> list[Problem]:
    data = file.read.data
    if file.read.problems:
        return file.read.problems
    if not isinstance(data, dict) or not data:
        return [file.problem(faults.SPEC_SHAPE, (), reason="整个文件应当是映射")]
    kind = str(next(iter(data)))
    declared = _declared(kind, data[kind], declarations)
    if kind not in runners or declared is None:
        reason = (
            f"没有名为“{data[kind]}”的{_title(kind)}" if kind in runners else f"“{kind}”没有用例，有用例的是 {'、'.join(sorted(runners))}"
        )
        return [file.problem(faults.SPEC_SHAPE, (kind,), reason=reason)]
    tables: dict[str, Table] = {}
    for name in ("given", "expect"):
        try:
            tables[name] = parse_table(str(data.get(name) or ""))
        except ValueError as reason:
            return [file.problem(faults.SPEC_SHAPE, (name,), reason=str(reason))]
    if not tables["expect"].columns:
        return [file.problem(faults.SPEC_SHAPE, (), reason="缺少 expect")]
    options = {key: value for key, value in data.items() if key not in (kind, "given", "expect")}
    path = file.owner.path(file.relative)
    spec = SpecTable(kind, str(data[kind]), tables["given"], tables["expect"], options, declarations, file.owner.name, path)
    return [_failure(file, spec, failure) for failure in _failures(kind, declared, spec)]


def _declared(kind: str, id: Any, declarations: Declarations) -> Any:
    return declarations.all(all_kinds()[kind].model).get(str(id)) if kind in all_kinds() else None


def _title(kind: str) -> str:
    return all_kinds()[kind].title if kind in all_kinds() else kind


def _failures(kind: str, declared: Any, spec: SpecTable) -> list[Failure]:
    try:
        return runners[kind](declared, spec)
    except Exception as broken:
        return [Failure(f"没有跑完：{type(broken).__name__}: {broken}")]


def _failure(file: _File, spec: SpecTable, failure: Failure) -> Problem:
    first = file.read.blocks.get(("expect",), 0)
    in_table = failure.row is not None and 0 <= failure.row < len(spec.expect.lines)
    line = first + spec.expect.lines[failure.row or 0] if first and in_table else 0
    return file.problem(faults.SPEC_FAILED, ("expect",), line=line, reason=failure.message)
