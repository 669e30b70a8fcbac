"""Checks of audits: each action named is one."""

from collections.abc import Iterable

from haitang.base.declarations.build import nearest
from haitang.base.declarations.checks import Context, Problem, check
from haitang.operations.management.evidence.kinds import Audit


@check(Audit)
def actions_exist(audit: Audit, context: Context) -> Iterable[Problem]:
    """Each word under `records` is an action, or `case.*` for all of a room's."""
    if context.permissions is None:
        return
    for id, clause in audit.clauses.items():
        for number, word in enumerate(clause.records):
            if not any(known == word or (word.endswith(".*") and known.startswith(word[:-1])) for known in context.permissions):
                yield Problem(
                    f"clauses.{id}.records.{number}", "没有“{word}”这个操作", "{near}",
                    data={"word": word, "near": nearest(word, context.permissions)},
                )  # fmt: skip
