"""A change of who may do what takes two keys: whoever runs `haitang apply` or decides edits, and the security administrator."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from haitang.base import clock, ports
from haitang.base.actions import Actor, acting, system
from haitang.base.declarations.actions import admit_release, decide_edit, propose_edit, propose_release, withdraw_edit
from haitang.base.declarations.in_force import holding
from haitang.base.declarations.models import Admission, Edit, Proposal
from haitang.base.declarations.owners import Owner
from haitang.base.declarations.release import Source, today
from haitang.base.errors import HaitangError
from haitang.server.declared import owners_with
from haitang.server.release import Seeder, apply, plan
from haitang.support.security.people.kinds import Role
from haitang.support.security.policy.actions import decide_guarded_edit, decide_release
from tests.support.security.people.proved import made, proved

pytestmark = pytest.mark.django_db
OFFICES: Sequence[tuple[str, str]] = (
    ("security", "security_administrator"),
    ("admin", "administrator"),
    ("audit", "audit_administrator"),
)


@pytest.fixture
def owners(monkeypatch: pytest.MonkeyPatch) -> list[Owner]:
    """The folders as `haitang apply` reads them; a test changes the list."""
    platform = [owner for owner in owners_with(None) if owner.where == "platform"]
    found = [*platform, Owner("town", "place", Path("town"), {})]
    monkeypatch.setattr("haitang.server.release.owners_with", lambda _: found)
    return found


@pytest.fixture(autouse=True)
def source(owners: list[Owner]) -> Iterator[Source]:
    found = Source(look_every=0)
    ports.seeding.register(Seeder())
    with holding(found):
        with acting(system("setup")) as act:
            apply(act)
        yield found


def edited(owners: list[Owner], where: str, file: str, change: Callable[[str], str]) -> None:
    for number, owner in enumerate(owners):
        if owner.where == where and (file in owner.files or where == "place"):
            owners[number] = replace(owner, files={**owner.files, file: change(owner.files.get(file, ""))})
            return
    raise AssertionError(file)


def more_for_the_administrator(owners: list[Owner]) -> None:
    edited(owners, "platform", "roles/administrator.yaml", lambda text: text.replace("may:\n", "may:\n  - tokens.register_client\n"))


def submit() -> Admission | Proposal:
    with acting(system("operator")) as act:
        return apply(act)


def decide(by: Actor, proposal: Proposal, approve: bool = True) -> Proposal:
    with acting(by) as act:
        return decide_release(act=act, proposal=proposal, approve=approve)


def grants() -> list[str]:
    from haitang.base.declarations import in_force

    return list(in_force().get(Role, "administrator").may)


def test_before_anybody_was_given_the_office_a_release_goes_on_by_itself(owners: list[Owner]) -> None:
    more_for_the_administrator(owners)
    assert isinstance(submit(), Admission)
    assert "tokens.register_client" in grants()


def test_a_changed_role_waits_until_the_security_administrator_consents(owners: list[Owner]) -> None:
    security = made("security", "security_administrator")
    more_for_the_administrator(owners)
    found = submit()
    assert isinstance(found, Proposal)
    assert "tokens.register_client" not in grants()
    (row,) = [each for each in found.permissions if "role" in each]
    assert (row["role"], row["word"], row["before"], row["after"]) == ("系统管理员", "tokens.register_client", "不能", "全部内容")
    decide(proved(security), found)
    assert "tokens.register_client" in grants()


def test_neither_suffices_alone(owners: list[Owner]) -> None:
    made("security", "security_administrator")
    admin, audit = made("admin", "administrator"), made("audit", "audit_administrator")
    more_for_the_administrator(owners)
    found = submit()
    assert isinstance(found, Proposal)
    with pytest.raises(HaitangError, match="needs_consent"), acting(system("operator")) as act:
        admit_release(act=act, owners=owners)
    for other in (proved(admin), proved(audit), system("operator"), system("setup")):
        with pytest.raises(HaitangError, match="not_allowed"):
            decide(other, found)
    with pytest.raises(HaitangError, match="not_allowed"), acting(proved(made("second", "security_administrator"))) as act:
        propose_release(act=act, owners=owners)


def test_consent_asks_for_proof_and_is_given_for_nobody_else(owners: list[Owner]) -> None:
    security = made("security", "security_administrator")
    more_for_the_administrator(owners)
    found = submit()
    assert isinstance(found, Proposal)
    with pytest.raises(HaitangError, match="needs_proof"):
        decide(replace(proved(security), proved_until=None), found)
    with pytest.raises(HaitangError, match="in_person"):
        decide(replace(proved(security), on_behalf_of="staff:other"), found)


def test_a_refused_release_never_comes_in_force(owners: list[Owner]) -> None:
    security = proved(made("security", "security_administrator"))
    more_for_the_administrator(owners)
    found = submit()
    assert isinstance(found, Proposal)
    decide(security, found, approve=False)
    with pytest.raises(HaitangError, match="already_decided"):
        decide(security, found)
    assert "tokens.register_client" not in grants()


def test_consent_is_to_what_was_shown_not_to_what_stands_in_the_folder_later(owners: list[Owner]) -> None:
    security = proved(made("security", "security_administrator"))
    more_for_the_administrator(owners)
    first = submit()
    edited(owners, "platform", "roles/administrator.yaml", lambda text: text.replace("may:\n", "may:\n  - tokens.revoke\n"))
    assert isinstance(first, Proposal)
    decide(security, first)
    assert "tokens.register_client" in grants()
    assert "tokens.revoke" not in grants()


def test_a_newer_proposal_takes_the_place_of_the_one_before(owners: list[Owner]) -> None:
    security = proved(made("security", "security_administrator"))
    more_for_the_administrator(owners)
    first, again = submit(), submit()
    assert first == again
    edited(owners, "platform", "roles/administrator.yaml", lambda text: text.replace("may:\n", "may:\n  - tokens.revoke\n"))
    submit()
    assert isinstance(first, Proposal)
    with pytest.raises(HaitangError, match="already_decided"):
        decide(security, first)


def test_consent_given_after_another_release_came_in_force_is_refused(owners: list[Owner]) -> None:
    security = proved(made("security", "security_administrator"))
    before = list(owners)
    more_for_the_administrator(owners)
    found = submit()
    owners[:] = before
    edited(owners, "platform", "roles/auditor.yaml", lambda text: text + "\n# a remark changes no permission\n")
    assert isinstance(submit(), Admission)
    assert isinstance(found, Proposal)
    with pytest.raises(HaitangError, match="overtaken"):
        decide(security, found)


def test_a_place_cannot_tune_sign_in_by_its_overrides_alone(owners: list[Owner]) -> None:
    made("security", "security_administrator")
    edited(owners, "place", "overrides.yaml", lambda text: text + "\nsign_in staff:\n  attempts: 900\n")
    found = submit()
    assert isinstance(found, Proposal)
    assert any("attempts" in row.get("change", "") for row in found.permissions)


def test_a_place_cannot_bring_a_policy_alone(owners: list[Owner]) -> None:
    made("security", "security_administrator")
    cedar = (
        '//---\n// title: 管理员可看案件\n//---\npermit (principal in Role::"administrator", action in Action::"case.read", resource);\n'
    )
    edited(owners, "place", "policies/see_cases.cedar", lambda _: cedar)
    found = submit()
    assert isinstance(found, Proposal)
    assert [(row["word"], row["after"]) for row in found.permissions if "role" in row] == [("case.read", "全部内容")]


def test_an_unchanged_release_and_one_that_changes_no_permission_wait_for_nobody(owners: list[Owner]) -> None:
    made("security", "security_administrator")
    assert not plan().waits
    edited(owners, "platform", "roles/auditor.yaml", lambda text: text + "\n# a remark changes no permission\n")
    assert isinstance(submit(), Admission)


# -- edits on a page ---------------------------------------------------------------------------------------------------------------------------------


def proposed() -> Edit:
    with clock.frozen(clock.now()), acting(proved(made("head", "department_head"))) as act:  # no day ends in between
        return propose_edit(act=act, kind="sign_in", id="staff", key="attempts", value=900, effective=today(), reason="会商决定")


def approved(edit: Edit) -> Edit:
    with acting(proved(made("admin", "administrator"))) as act:
        return decide_edit(act=act, edit=edit, approve=True)


def consent(edit: Edit, by: Actor) -> Edit:
    with acting(by) as act:
        return decide_guarded_edit(act=act, edit=edit, approve=True)


def test_an_edit_of_sign_in_settings_takes_both_and_cannot_be_taken_back_by_one() -> None:
    security = proved(made("security", "security_administrator"))
    edit = proposed()
    with pytest.raises(HaitangError, match="not_yet"):
        consent(edit, security)
    edit = approved(edit)
    assert edit.status == Edit.Status.PROPOSED
    edit = consent(edit, security)
    assert edit.status == Edit.Status.APPROVED
    assert edit.consent_by == security.ref
    with pytest.raises(HaitangError, match="not_taken_back"), acting(system("operator")) as act:
        withdraw_edit(act=act, edit=edit)


def test_an_edit_of_sign_in_settings_goes_on_while_there_is_no_security_administrator_yet() -> None:
    assert approved(proposed()).status == Edit.Status.APPROVED


# -- the page ----------------------------------------------------------------------------------------------------------------------------------------


def signed_in(client: Client, person: Any) -> Client:
    from haitang.support.security.people.sessions import BACKEND

    client.force_login(person, backend=BACKEND)
    session = client.session
    session["proved"] = clock.now().isoformat()
    session["started"] = clock.now().isoformat()
    session.save()
    return client


def test_the_page_shows_the_change_to_three_officers_and_the_buttons_to_one(owners: list[Owner], client: Client) -> None:
    security, admin, audit = (made(name, role) for name, role in OFFICES)
    more_for_the_administrator(owners)
    found = submit()
    assert isinstance(found, Proposal)
    address = f"/policies/changes/releases/{found.id}"
    for person in (admin, audit):
        shown = signed_in(client, person).get("/policies/changes").content.decode()
        assert "tokens.register_client" in shown
        assert address not in shown
        assert client.post(address, {"do": "approve"}).status_code == 403
    assert address in signed_in(client, security).get("/policies/changes").content.decode()
    assert client.post(address, {"do": "approve"}).status_code == 302
    assert "tokens.register_client" in grants()
