"""Folders on disk become a release, seed the tables, and are written back."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from haitang.base.actions import acting, system
from haitang.base.declarations import actions, put_in_force
from haitang.base.declarations.models import Proposal, Release
from haitang.base.declarations.owners import owner_of_folder
from haitang.base.declarations.release import edits_in_force, today
from haitang.base.errors import HaitangError
from haitang.hub.business.procedures.models import Run
from haitang.hub.data.rules.kinds import Rule
from haitang.server import places, release
from haitang.server.declared import load, owners_with
from haitang.server.seeding import drift, seed
from haitang.support.infrastructure.things.models import Thing
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Organization, Person
from tests.support.security.people.proved import made

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def current(folders: Path) -> None:
    release.current.__init__(look_every=0)  # type: ignore[misc]
    put_in_force(release.current)


def apply() -> None:
    with acting(system("operator")) as act:
        release.apply(act)


def change(folders: Path, relative: str, old: str, new: str) -> None:
    file = folders / relative
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")


def test_the_first_start_admits_and_seeds() -> None:
    assert release.ensure_release() is not None
    assert Organization.objects.get(pk="bureau").parent_id == "government"
    assert Thing.objects.get(pk="s1").mn == "A1"


def test_a_later_start_leaves_the_release_alone(folders: Path) -> None:
    apply()
    change(folders, "air/rules/high.yaml", "2h", "3h")
    assert release.ensure_release() is None
    assert release.current().get(Rule, "high").for_ == "2h"


def test_a_seeded_row_is_never_written_again(folders: Path) -> None:
    apply()
    Thing.objects.filter(pk="s1").update(title="改过的名字")
    change(folders, "place/things.csv", "一号站", "壹号站")
    apply()
    assert Thing.objects.get(pk="s1").title == "改过的名字"


def test_drift_tells_folder_and_database_apart() -> None:
    apply()
    Thing.objects.filter(pk="s1").update(title="改过的名字")
    Organization.objects.create(id="new", title="新单位")
    told = [str(one) for one in drift(load(owners_with(None)).partial)]
    assert told == ["organization new：只在数据库里", "thing s1：title  文件夹 一号站 ，数据库 改过的名字"]


def test_seeding_twice_makes_nothing() -> None:
    apply()
    with acting(system("operator")) as act:
        assert seed(release.current(), act=act) == 0


def test_a_plan_says_old_and_new(folders: Path) -> None:
    apply()
    change(folders, "place/overrides.yaml", "100", "90")
    (folders / "air/roles/guest.yaml").write_text("title: 访客\n", "utf-8")
    assert [str(one) for one in release.plan().changes] == [
        "新增 角色 guest（访客）",
        "修改 规则 high（超标）：when  value > 100 → value > 90",
    ]


def open_run() -> None:
    Run.objects.create(
        procedure="inspection", subject_kind="case", subject_id="1", stage="filed", started_at=datetime(2026, 3, 1, tzinfo=UTC), release="0"
    )


def test_a_stage_with_open_runs_does_not_vanish(folders: Path) -> None:
    apply()
    open_run()
    change(folders, "air/procedures/inspection.yaml", "filed", "received")
    assert [refusal.code for refusal in release.plan().refusals] == ["procedures.open_runs_keep_a_stage"]
    with pytest.raises(HaitangError, match="release_refused"):
        apply()


def test_a_stage_map_lets_it_go(folders: Path) -> None:
    apply()
    open_run()
    change(folders, "air/procedures/inspection.yaml", "filed", "received")
    with (folders / "air/procedures/inspection.yaml").open("a", encoding="utf-8") as file:
        file.write("stage_map: {filed: received}\n")
    assert release.plan().refusals == []
    assert [said.severity for said in release.plan().said] == ["warning"]


def test_an_export_carries_the_approved_edits(folders: Path, tmp_path: Path) -> None:
    apply()
    with acting(system("operator")) as act:
        edit = actions.propose_edit(act=act, kind="rule", id="high", key="when", value="value > 75", effective=today(), reason="决定")
    with acting(system("setup")) as act:
        actions.decide_edit(act=act, edit=edit, approve=True)
    out = places.export(owner_of_folder(folders / "place", "place"), edits_in_force(), tmp_path / "out")
    assert (out / "overrides.yaml").read_text("utf-8") == "# 本区的调整\nrule high:\n  when: value > 75    # 会议纪要第 3 号\n"
    assert (out / "things.csv").read_text("utf-8") == (folders / "place/things.csv").read_text("utf-8")


# -- who may do what takes the security administrator's consent ---------------------------------------------------------------------------------------


MORE_FOR_THE_INSPECTOR = ("air/roles/inspector.yaml", "[declarations.propose]", "[declarations.propose, alarm.read]")


def called(monkeypatch: pytest.MonkeyPatch, *more: str) -> str:
    """What `haitang apply` prints."""
    from click.testing import CliRunner

    from haitang.base.settings import settings
    from haitang.server.cli import main

    monkeypatch.setattr("haitang.server.boot._booted", True)
    monkeypatch.setattr("haitang.server.cli.options.settings_of", lambda chosen, must_run: settings())
    done = CliRunner().invoke(main, ["apply", *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_apply_says_that_a_release_waits_for_whom_and_where(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apply()
    made("security", "security_administrator")
    change(folders, *MORE_FOR_THE_INSPECTOR)
    said = called(monkeypatch)
    assert "还没有生效：等待安全管理员（security）在 /policies/changes 批准。" in said
    assert "inspector" in said
    assert release.current().get(Role, "inspector").may == ["declarations.propose"]
    told = json.loads(called(monkeypatch, "--json"))
    assert (told["applied"], told["waits"]) == (False, str(Proposal.objects.latest("proposed_at").pk))


def test_apply_says_that_nobody_holds_the_office_any_more(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apply()
    security = made("security", "security_administrator")
    change(folders, *MORE_FOR_THE_INSPECTOR)
    Person.objects.filter(pk=security.pk).update(is_active=False)
    assert "等待安全管理员（目前无人担任，请先授予）" in called(monkeypatch)


def test_the_first_start_waits_for_nobody_and_a_later_one_brings_in_nothing(folders: Path) -> None:
    made("security", "security_administrator")  # as after a restore of people alone: there is no release yet under which they could sign in
    assert release.ensure_release() is not None
    assert Proposal.objects.count() == 0
    change(folders, *MORE_FOR_THE_INSPECTOR)
    assert release.ensure_release() is None
    assert release.current().get(Role, "inspector").may == ["declarations.propose"]


def test_a_release_that_this_version_cannot_read_is_replaced_at_a_start_and_evidence_counts_its_permissions(folders: Path) -> None:
    apply()
    made("security", "security_administrator")
    kept = Release.objects.get()
    Release.objects.update(content=json.loads(json.dumps(kept.content).replace("watches:", "watched_by_an_older_version:")))
    release.current.forget()
    change(folders, *MORE_FOR_THE_INSPECTOR)
    assert release.ensure_release() is not None
    record = EvidenceRecord.objects.filter(action="declarations.admit").latest("id")
    assert record.facts["of_permissions"] == 1
