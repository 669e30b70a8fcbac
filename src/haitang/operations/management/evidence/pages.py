"""Addresses of the evidence pages."""

from django.urls import path

from haitang.base.shell.navigation import entry
from haitang.operations.management.evidence import archives, assessor, auditor, keys, public, receipts, records

entry("evidence", title="证据账本", url="/evidence", icon="shield-check", group="know", order=30, permission="evidence.read")
entry("accesses", title="数据访问审计", url="/evidence/accesses", icon="eye", group="know", order=32, permission="evidence.read")
entry("archives", title="证据归档", url="/evidence/archives", icon="archive", group="know", order=32, permission="evidence.read")
entry("clauses", title="按条款取证", url="/evidence/clauses", icon="list-check", group="know", order=32, permission="evidence.read")
entry("signing_keys", title="签名密钥", url="/evidence/keys", icon="key", group="know", order=33, permission="keys.read")
entry("my_receipts", title="我的办理凭据", url="/evidence/mine", icon="receipt", group="know", order=34)

urlpatterns = [
    path("evidence", records.records),
    path("evidence/seals", records.seals),
    path("evidence/keys", keys.list_keys),
    path("evidence/keys/propose", keys.ask),
    path("evidence/keys/<uuid:id>", keys.settle),
    path("evidence/roots", public.roots),
    path("evidence/check", public.check),
    path("R/<str:text>", public.check),
    path("evidence/mine", receipts.mine),
    path("evidence/receipts/<uuid:ref>", receipts.receipt),
    path("evidence/receipts/<uuid:ref>/file", receipts.receipt_file),
    path("evidence/of-case/<str:number>", receipts.of_case),
    path("evidence/accesses", auditor.accesses),
    path("evidence/accesses/search", auditor.search),
    path("evidence/archives", archives.archives),
    path("evidence/archives/search", archives.search),
    path("evidence/archives/<int:first>", archives.archive),
    path("evidence/archives/<int:first>/check", archives.check),
    path("evidence/archives/<int:first>/file", archives.file),
    path("evidence/clauses", assessor.clauses),
    path("evidence/clauses/export", assessor.export),
    path("evidence/anomalies", auditor.anomalies),
    path("evidence/<slug:kind>/<str:id>", records.of_subject),
]
