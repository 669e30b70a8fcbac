"""functions.py of applications: the only Python of a declaration folder, pure and typed. It belongs to the release, so it runs from the release's text.

functions_of("environment").air_quality_index(...)
"""

import hashlib
import linecache
import sys
from functools import cache
from types import ModuleType

from haitang.base.declarations import faults
from haitang.base.declarations.checks import Problem
from haitang.base.declarations.in_force import Declarations, in_force
from haitang.base.declarations.owners import Owner

FILE = "functions.py"


def functions_of(owner: str, declarations: Declarations | None = None) -> ModuleType | None:
    """The module of an owner's functions.py in the release in force (or in `declarations`); None where it has none."""
    for found in (declarations or in_force()).owners:
        if found.name == owner and FILE in found.files:
            return _module(owner, found.files[FILE], str(found.path(FILE)))
    return None


@cache
def _module(owner: str, text: str, file: str) -> ModuleType:
    """Run the text once for each version of it."""
    name = f"haitang_functions_{owner}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    module = ModuleType(name)
    module.__file__ = file
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    sys.modules[name] = module  # dataclasses and typing look their module up
    exec(compile(text, file, "exec"), module.__dict__)  # noqa: S102 - the one door for Python of an application
    return module


def check_functions(owner: Owner) -> list[Problem]:
    """Whether functions.py can be loaded."""
    if FILE not in owner.files:
        return []
    try:
        _module(owner.name, owner.files[FILE], str(owner.path(FILE)))
    except SyntaxError as wrong:
        return [_problem(owner, str(wrong.msg), wrong.lineno or 1)]
    except Exception as wrong:
        trace = wrong.__traceback__
        line = 1
        while trace is not None:
            line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == str(owner.path(FILE)) else line
            trace = trace.tb_next
        return [_problem(owner, f"{type(wrong).__name__}: {wrong}", line)]
    return []


def _problem(owner: Owner, reason: str, line: int) -> Problem:
    return faults.FUNCTIONS.problem(reason=reason).located(file=owner.path(FILE), line=line, column=1)
