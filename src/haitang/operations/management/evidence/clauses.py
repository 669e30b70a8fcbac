"""An export for an assessor: clause by clause of a declared standard, the records that answer it, with proofs, in one zip."""

import csv
import io
import json
import zipfile
from typing import Any, BinaryIO, cast

from haitang.base import clock
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.operations.management.evidence.kinds import Audit, Clause
from haitang.support.security.evidence.daily import day_json, node
from haitang.support.security.evidence.export import Scope, counted, export
from haitang.support.security.evidence.keyring import compromise_json, key_json, keys
from haitang.support.security.evidence.models import Archive, DayRoot, KeyCompromise

NO_CLAUSE = error("evidence.no_clause", 404, "“{audit}”中没有条款 {clause}，或没有操作对应这一条款。")
NO_AUDIT = error("evidence.no_audit", 404, "没有名为“{id}”的审计对照。可用的有：{ids}。")
INDEX = ("clause", "title", "actions", "records", "file", "also")

README = """# {title}

节点 {node}，{created} 导出。期间：{since} 至 {until}。

对照表的来源：{sure}。

| 文件 | 内容 |
|---|---|
| index.csv | 每个条款：要求、对应的操作、记录条数、文件 |
| clauses/条款.jsonl | 回答该条款的记录，每条附其属于签名封存的证明 |
| keys.json | 签名公钥、泄露声明（核验时公钥应另行取得） |
| days.json | 已公布的每日根、时间戳 |
| archives.json | 已移出数据库的归档及其摘要 |

核验：`haitang evidence verify clauses/条款.jsonl --key 公钥`，不需要联网和数据库。公钥见本节点公开页面 /evidence/roots 的第一把，不要取自本文件。
涉及个人的内容在记录中只有加盐摘要。

Verify each file with `haitang evidence verify FILE --key PUBKEY`, offline. Take the first public key from /evidence/roots of the node or a printed notice, not from this file.
Where the clauses come from: {sure}.
"""


def audit_of(id: str) -> Audit:
    """The declared audit; raises NO_AUDIT."""
    found = in_force().all(Audit)
    if id not in found:
        raise NO_AUDIT(id=id, ids="、".join(sorted(found)))
    return found[id]


def within(clause: Clause, scope: Scope) -> Scope:
    """The records of a scope's period that answer a clause."""
    return Scope(since=scope.since, until=scope.until, actions=tuple(clause.records))


def counts_of(audit: Audit, scope: Scope) -> dict[str, int]:
    """How many sealed records answer each clause; 0 where no action does."""
    return {id: counted(within(clause, scope)) if clause.records else 0 for id, clause in audit.clauses.items()}


def export_clause(out: BinaryIO, audit: Audit, id: str, scope: Scope) -> dict[str, Any]:
    """Write the evidence file of one clause and return its manifest; raises NO_CLAUSE."""
    clause = audit.clauses.get(id)
    if clause is None or not clause.records:
        raise NO_CLAUSE(audit=audit.title, clause=id)
    return export(out, within(clause, scope))


def export_clauses(out: BinaryIO, audit: Audit, scope: Scope) -> dict[str, int]:
    """Write the zip; gives the records by clause. A clause that no action answers has no file and says so in the index."""
    counts: dict[str, int] = {}
    rows: list[dict[str, Any]] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for id, clause in audit.clauses.items():
            file = f"clauses/{id}.jsonl"
            if clause.records:
                with made.open(file, "w", force_zip64=True) as content:
                    told = export_clause(cast(BinaryIO, content), audit, id, scope)
            counts[id] = told["records"] if clause.records else 0
            rows.append({
                "clause": id, "title": clause.title, "actions": " ".join(clause.records), "records": counts[id],
                "file": file if clause.records else "", "also": clause.also or "",
            })  # fmt: skip
        _besides(made, audit, scope, rows)
    return counts


def _besides(made: zipfile.ZipFile, audit: Audit, scope: Scope, rows: list[dict[str, Any]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, INDEX)
    writer.writeheader()
    writer.writerows(rows)
    made.writestr("index.csv", "\ufeff" + text.getvalue())  # the mark by which spreadsheet programs know UTF-8
    marked = [compromise_json(found) for found in KeyCompromise.objects.order_by("id")]
    made.writestr("keys.json", _json({"keys": [key_json(key) for key in keys()], "compromises": marked}))
    made.writestr("days.json", _json([day_json(day) for day in DayRoot.objects.order_by("date")]))
    archives = [
        {"file": each.file, "digest": each.digest, "first_seal": each.first_seal, "last_seal": each.last_seal}
        for each in Archive.objects.all()
    ]
    made.writestr("archives.json", _json(archives))
    period = {"since": scope.since.date() if scope.since else "—", "until": scope.until.date() if scope.until else "—"}
    made.writestr(
        "README.md",
        README.format(title=audit.title, sure=audit.sure, node=node(), created=clock.now().isoformat(timespec="seconds"), **period),
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
