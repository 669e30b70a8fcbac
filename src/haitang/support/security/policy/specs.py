"""Spec tables of policies: whom it lets do what, decided over everything that is in force.

    policy: town_reads_its_cases
    given: |
      resource  kind  organization  division
      here      case  water         990101001
    expect: |
      who           organization  may        what  decision  by
      town_officer  longgang      case.read  here  allow     town_reads_its_cases

`who`: roles of a member of staff joined by `+` (`-`: none), or `citizen`, `enterprise`, `device`, `system:<process>`. `what`: a row of `given`, or `-`. Optional columns
of `expect`: `by` (a policy that determined it), `scopes` (a token's, joined by `+`), `purpose`.
"""

from haitang.base.actions import Actor, TokenScope
from haitang.base.declarations.spec import Failure, Row, SpecTable, spec
from haitang.support.security.policy.engine import Circumstances, engine
from haitang.support.security.policy.entities import SORTS, Subject, subject_of
from haitang.support.security.policy.kinds import Policy

DECISIONS = {True: "allow", False: "deny"}


@spec("policy")
def run(declared: Policy, table: SpecTable) -> list[Failure]:
    """Each row of `expect` against the policies in force."""
    subjects = {str(row["resource"]): _subject(row) for row in table.given}
    return [failure for number, row in enumerate(table.expect) for failure in _row(number, row, subjects)]


def _row(number: int, row: Row, subjects: dict[str, Subject]) -> list[Failure]:
    what = row.get("what")
    if what and what not in subjects:
        return [Failure(f"given 里没有 {what}", number)]
    of, around = engine(), Circumstances(purpose=row.get("purpose") or "")
    found = of.verdict(_actor(row), row["may"] or "", subjects[what] if what else Subject(), around)
    if DECISIONS[found.allowed] != row["decision"]:
        return [Failure(f"得到 {DECISIONS[found.allowed]}，依据 {'、'.join(found.policies) or '没有规则允许'}", number)]
    wanted = row.get("by")
    return [Failure(f"依据的是 {'、'.join(found.policies) or '没有规则允许'}", number)] if wanted and wanted not in found.policies else []


def _actor(row: Row) -> Actor:
    sort, _, name = (row.get("who") or "").partition(":")
    token = TokenScope("spec", frozenset(scopes.split("+"))) if (scopes := row.get("scopes")) else None
    organization = row.get("organization")
    if sort in SORTS:
        return Actor(sort, name or "1", name or sort, organization, token=token)
    return Actor("staff", "1", sort, organization, frozenset(filter(None, sort.split("+"))), token)


def _subject(row: Row) -> Subject:
    given = {name: value for name, value in row.items() if value is not None and name != "resource"}
    return subject_of({"kind": "thing", "id": row["resource"], **given})
