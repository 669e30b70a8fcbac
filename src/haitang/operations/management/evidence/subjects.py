"""What evidence records are about, in words: the number of a case, the name of a person; an id only where nothing better is known."""

from functools import cached_property

from django.utils.html import format_html

from haitang.base.ids import id_of
from haitang.base.shell.tables import Table
from haitang.base.shell.words import who
from haitang.base.text import T, translate
from haitang.hub.business.cases.models import Case
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.models import Person

KINDS = {
    "case": T("案件"),
    "alarm": T("报警"),
    "thing": T("设备"),
    "person": T("人员"),
    "release": T("声明版本"),
    "edit": T("声明调整"),
    "block": T("数据块"),
    "table": T("导出"),
    "indicator": T("指标"),
    "notice": T("通知"),
    "organization": T("单位"),
    "instance": T("实例"),
    "signing_key": T("签名密钥"),
    "resource": T("资源"),
    "node_day": T("下级节点的根"),
    "archive": T("证据归档"),
    "evidence": T("证据导出"),
}


class Named:
    """Names the subjects of the records that `table` shows on its page: one query a sort of subject, made when the first is shown."""

    table: Table

    @classmethod
    def one(cls, record: EvidenceRecord) -> str:
        """The name of one record's subject."""
        found = cls()
        found._records = [record]
        return found.of(record)

    @cached_property
    def _records(self) -> list[EvidenceRecord]:
        return list(self.table.page.object_list)

    def _ids(self, kind: str) -> list[str]:
        """Ids of a kind that has a table of its own; whatever else a record of an old version or an outside writer calls so has no name."""
        return [record.subject_id for record in self._records if record.subject_kind == kind and id_of(record.subject_id)]

    @cached_property
    def _cases(self) -> dict[str, str]:
        return {str(pk): number for pk, number in Case.objects.filter(pk__in=self._ids("case")).values_list("pk", "number")}

    @cached_property
    def _people(self) -> dict[str, str]:
        return {str(pk): who(name) for pk, name in Person.objects.filter(pk__in=self._ids("person")).values_list("pk", "name")}

    def of(self, record: EvidenceRecord) -> str:
        """A short name as HTML; what has none keeps the start of its id."""
        found = {"case": lambda: self._cases, "person": lambda: self._people}.get(record.subject_kind, dict)().get(record.subject_id)
        if found:
            return found
        kind = translate(KINDS.get(record.subject_kind, record.subject_kind))
        return format_html('{} <span class="mono">{}</span>', kind, record.subject_id[:20])
