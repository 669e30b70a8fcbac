"""The kinds `case`, a type of case, and `case_source`, where cases come from."""

from typing import Annotated, Literal

from haitang.base.declarations import Declaration, Reference, Text, in_force, kind
from haitang.base.text import T
from haitang.hub.business.procedures.words import word

SEVERITY = word("case.severity", title=T("案件级别"), choices=("notice", "warning", "serious", "critical"))
ORIGIN = word("case.origin", title=T("数据性质"), choices=("live", "replay", "simulated"))
CAUSE_CLEARED = word("case.cause_cleared", title=T("起因已解除"), type="yes or no")


@kind("case", title="案件类型", folder="cases")
class CaseType(Declaration):
    """A type of case: its class code (GB/T 30428 or local), the procedure it follows, the organization role it goes to.

    Without `goes_to` it goes to the organization that whatever raises it names.
    """

    title: Text
    code: str
    procedure: Annotated[str, Reference("procedure")]
    goes_to: Annotated[str, Reference("organization role")] | None = None
    severity: Literal["from the alarm", "notice", "warning", "serious", "critical"] = "from the alarm"
    form: Annotated[str, Reference("form")] | None = None


@kind("case_source", title="案件来源", folder="case_sources")
class CaseSource(Declaration):
    """Where a case comes from (CJJ/T 106: 信息收集). `filing`: what becomes of it.

    at once  it is a case from the start: an alarm, what the centre itself found
    decided  it is accepted (受理), and somebody decides whether it is filed (立案 or 不予立案), where the procedure has a stage for it (`reports_start`)
    """

    title: Text
    filing: Literal["at once", "decided"] = "decided"


def sources() -> dict[str, str]:
    """Id -> title of every source, those that are filed at once first."""
    found = in_force().all(CaseSource)
    return {id: found[id].title for id in sorted(found, key=lambda id: (found[id].filing, id))}
