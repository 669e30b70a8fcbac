"""What `haitang check` says of a type of case."""

from collections.abc import Iterable

from haitang.base.declarations.checks import Context, Problem, check
from haitang.hub.business.cases.kinds import CaseType
from haitang.hub.business.forms.queries import find_questions


@check(CaseType)
def the_form_can_be_answered_at_once(declared: CaseType, context: Context) -> Iterable[Problem]:
    """A form that opens a case asks for no photo: files are attached to a case that is there."""
    for name, question in find_questions(context.declarations, declared.form).items() if declared.form else ():
        if question.type == "photo":
            data = {"question": name}
            yield Problem(
                "form", "立案表单的“{question}”要求照片，立案时还没有案件可以附", "立案后上传附件，或让第一个步骤要求照片", data=data
            )
