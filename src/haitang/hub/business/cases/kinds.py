"""The kind `case`: a type of case."""

from typing import Annotated, Literal

from haitang.base.declarations import Declaration, Reference, Text, kind
from haitang.base.text import T
from haitang.hub.business.procedures.words import word

SEVERITY = word("case.severity", title=T("案件级别"), choices=("notice", "warning", "serious", "critical"))
ORIGIN = word("case.origin", title=T("案件来源"), choices=("live", "replay", "simulated"))
CAUSE_CLEARED = word("case.cause_cleared", title=T("起因已解除"), type="yes or no")


@kind("case", title="案件类型", folder="cases")
class CaseType(Declaration):
    """A type of case: its class code (GB/T 30428 or local), the procedure it follows, the organization role it goes to."""

    title: Text
    code: str
    procedure: Annotated[str, Reference("procedure")]
    goes_to: Annotated[str, Reference("organization role")]
    severity: Literal["from the alarm", "notice", "warning", "serious", "critical"] = "from the alarm"
    form: Annotated[str, Reference("form")] | None = None
