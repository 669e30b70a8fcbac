"""The evidence pages: whose data was seen is found without naming the person, receipts open for those they concern, and anyone checks one."""

import io
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.operations.management.evidence.clauses import audit_of, export_clauses
from haitang.support.security.evidence.actions import answer_digest, record_access, record_denial
from haitang.support.security.evidence.export import Scope
from haitang.support.security.evidence.keyring import keys
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.evidence.sealing import seal_all
from haitang.support.security.people.models import Person, RoleHolding
from tests.hub.business import world
from tests.support.security.ledger_world import check, instance, note

pytestmark = pytest.mark.django_db(transaction=True)
ID = "11010519491231002X"


@pytest.fixture(autouse=True)
def _place(tmp_path: Path) -> Iterator[None]:
    with world.declared(), instance(tmp_path), clock.frozen(clock.now()):  # no day passes within a test
        yield


def signed_in(name: str, *roles: str) -> Client:
    person = Person.objects.create(username=name, name=name, synthetic=True, kind="staff")
    RoleHolding.objects.bulk_create([RoleHolding(person=person, role=role) for role in roles])
    client = Client()
    client.force_login(person)
    return client


def access(resource: str, *, rows: int = 1, at: datetime | None = None, subjects: Any = ()) -> str:
    with acting(system("operator"), at=at) as act:
        return record_access(
            act=act,
            resource=resource,
            fields=["holder"],
            rows=rows,
            answer=answer_digest(b""),
            purpose="case:1",
            way="GET /x",
            subjects=subjects,
        )


def test_an_auditor_finds_a_persons_accesses_and_leaves_evidence_of_looking() -> None:
    access("permits", subjects=[("resident_id", ID)])
    access("licences", subjects=[("resident_id", "440524188001010014")])
    auditor = signed_in("auditor", "auditor")
    answer = auditor.post("/evidence/accesses/search", {"kind": "resident_id", "value": f" {ID.lower()} ", "purpose": "complaint"})
    assert answer.status_code == 302
    assert ID not in answer["Location"]
    page = auditor.get(answer["Location"]).content.decode()
    assert "permits" in page
    assert "licences" not in page
    search = EvidenceRecord.objects.get(action="evidence.access", subject_id="evidence")
    assert (search.facts["purpose"], search.facts["subjects"]["count"], search.actor[:6]) == ("complaint", 1, "staff:")
    assert ID not in str(search.facts)


def test_a_search_without_a_purpose_is_refused_and_keeps_what_was_typed() -> None:
    answer = signed_in("auditor", "auditor").post("/evidence/accesses/search", {"kind": "name", "value": "王丽", "purpose": ""})
    assert answer.status_code == 422
    assert 'value="王丽"' in answer.content.decode()
    assert not EvidenceRecord.objects.filter(action="evidence.access").exists()


def test_another_persons_search_is_not_opened_by_its_address() -> None:
    access("permits", subjects=[("name", "王丽")])
    first = signed_in("one", "auditor")
    address = first.post("/evidence/accesses/search", {"kind": "name", "value": "王丽", "purpose": "complaint"})["Location"]
    assert "正在显示一次查询的结果" not in signed_in("two", "auditor").get(address).content.decode()


def test_large_accesses_at_night_and_many_refusals_stand_out() -> None:
    night = (clock.now().astimezone(clock.CHINA) - timedelta(days=1)).replace(hour=23)
    access("at_night", rows=5000, at=night)
    access("by_day", rows=5000, at=night.replace(hour=12))
    for n in range(12):
        with acting(system("stranger")) as act:
            record_denial(act=act, denied=f"case.{n}", code="no_role", way="GET /cases")
    page = signed_in("auditor", "auditor").get("/evidence/anomalies").content.decode()
    assert "at_night" in page
    assert "by_day" not in page
    assert '<td class="num">12</td>' in page


def test_a_receipt_opens_for_who_acted_and_not_for_others() -> None:
    mine, other = signed_in("mine"), signed_in("other")
    from haitang.support.security.people.queries import actor_of

    with acting(system("operator")) as act:
        act.actor = actor_of(Person.objects.get(username="mine"))
        act._action.append("evidence.test_world")
        ref = act.record("organization", "x", {})
    assert "等待封存" in mine.get(f"/evidence/receipts/{ref}").content.decode()
    seal_all()
    page = mine.get(f"/evidence/receipts/{ref}").content.decode()
    assert "<svg" in page
    assert "<dt>对什么</dt><dd>单位" in page.replace(' <span class="mono">x</span>', "")
    assert "subject_kind" not in page.split("核验所用的原文")[0]
    assert str(ref) in mine.get("/evidence/mine").content.decode()
    assert other.get(f"/evidence/receipts/{ref}").status_code == 403
    file = b"".join(mine.get(f"/evidence/receipts/{ref}/file"))
    assert check(file, keys()[0].public).findings == []
    stranger = Client()
    text = page.split("二维码中的内容")[1].split('<p class="mono">')[1].split("</p>")[0]
    assert "✓" in stranger.get(f"/R/{text.rpartition('/R/')[2]}").content.decode()
    assert "✕" in stranger.get(f"/R/{text.rpartition('/R/')[2][:-9]}AAAAAAAAA").content.decode()
    assert "✓" in stranger.post("/evidence/check", {"file": io.BytesIO(file)}).content.decode()
    assert (
        "✕" in stranger.post("/evidence/check", {"file": io.BytesIO(file.replace(b'"organization"', b'"organizatiom"'))}).content.decode()
    )


def test_anyone_reads_the_daily_roots() -> None:
    with acting(system("operator")) as act:
        note(act=act, subject="1")
    seal_all()
    assert keys()[0].public in Client().get("/evidence/roots").content.decode()
    assert Client().get("/api/evidence/days").json()["keys"][0]["public"] == keys()[0].public


def test_an_assessor_gets_records_clause_by_clause_that_verify() -> None:
    access("permits")
    seal_all()
    export_clauses(out := io.BytesIO(), audit_of("data_security"), Scope())
    with zipfile.ZipFile(out) as made:
        index = made.read("index.csv").decode("utf-8-sig")
        assert (
            "pipl_44,个人对其个人信息处理的知情权、查阅（个人信息保护法第四十四、四十五条）,evidence.access,1,clauses/pipl_44.jsonl"
            in index
        )
        assert check(made.read("clauses/pipl_44.jsonl"), keys()[0].public).findings == []
        assert "凭记忆" in made.read("README.md").decode()
    with pytest.raises(HaitangError, match="no_audit"):
        audit_of("nothing")


def test_an_auditor_picks_a_clause_and_gets_its_evidence_as_a_file() -> None:
    access("permits")
    seal_all()
    auditor, today = signed_in("auditor", "auditor"), clock.now().astimezone(clock.CHINA).date().isoformat()
    page = auditor.get("/evidence/clauses", {"audit": "data_security", "since": today}).content.decode()
    row = page.split('data-title="条款">pipl_44<')[1].split("</tr>")[0]
    assert '<td class="num" data-title="已封存的记录">1</td>' in row
    wanted = {"audit": "data_security", "clause": "pipl_44", "since": today, "until": today}
    answer = auditor.post("/evidence/clauses/export", wanted)
    assert f'filename="data_security-pipl_44-{today}-{today}.jsonl"' in answer["Content-Disposition"]
    report = check(b"".join(answer), keys()[0].public)
    assert (report.findings, report.counts["record"]) == ([], 1)
    assert EvidenceRecord.objects.get(action="evidence.export").facts["actions"] == ["audit:data_security", "pipl_44"]
    every = zipfile.ZipFile(io.BytesIO(b"".join(auditor.post("/evidence/clauses/export", {"audit": "data_security"}))))
    assert check(every.read("clauses/pipl_44.jsonl"), keys()[0].public).findings == []


def test_a_clause_that_no_record_answers_and_one_that_is_not_there_are_refused() -> None:
    auditor = signed_in("auditor", "auditor")
    for clause in ("8.1.4.3.d", "nothing"):
        assert auditor.post("/evidence/clauses/export", {"audit": "gbt22239_level3", "clause": clause}).status_code == 404
    assert auditor.get("/evidence/clauses", {"audit": "nothing"}).status_code == 404
    assert signed_in("dispatcher", "dispatcher").post("/evidence/clauses/export", {"audit": "data_security"}).status_code == 403
    assert not EvidenceRecord.objects.filter(action="evidence.export").exists()
