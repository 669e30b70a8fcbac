"""A token does what its holder may and its scope names, until it ends, and never more."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.actions import create_person
from haitang.support.security.people.models import Organization, Person, RoleHolding
from haitang.support.security.people.queries import actor_of
from haitang.support.security.policy.decide import scope
from haitang.support.security.policy.engine import NONE, engine
from haitang.support.security.policy.entities import Subject
from haitang.support.security.policy.rows import rows
from haitang.support.security.tokens import actions, queries
from haitang.support.security.tokens.models import Client, Token
from tests.support.security.people.proved import proved, proved_client
from tests.support.security.shipped import shipped_in_force

pytestmark = pytest.mark.django_db
shipped = pytest.fixture(autouse=True)(shipped_in_force)


def person(name: str, *roles: str) -> Person:
    water, _ = Organization.objects.get_or_create(id="water", title="水利局")
    made = Person.objects.create(username=name, name=name, synthetic=True, organization=water)
    RoleHolding.objects.bulk_create([RoleHolding(person=made, role=role) for role in roles])
    return made


def token_of(who: Person, *scopes: str, days: float = 30, only: list[str] | None = None) -> tuple[Token, str]:
    with acting(proved(who)) as act:
        return actions.create_own_token(
            act=act, person=who, title="看板", scopes=scopes, expires_at=act.at + timedelta(days=days), only=only
        )


def ask(written: str, address: str, method: str = "get", **more: Any) -> Any:
    return getattr(Browser(), method)(address, headers={"Authorization": f"Bearer {written}"}, **more)


def test_a_token_opens_what_its_scope_names_and_nothing_else() -> None:
    _, written = token_of(person("wang", "verifier"), "alarm.read")
    assert [ask(written, address).status_code for address in ("/api/alarms", "/api/cases")] == [200, 403]


def test_a_refusal_by_the_scope_says_so() -> None:
    _, written = token_of(person("wang", "verifier"), "alarm.read")
    assert "访问令牌只能做其范围内的事" in ask(written, "/api/cases").json()["message"]


def test_no_page_opens_by_a_token() -> None:
    _, written = token_of(person("wang", "verifier"), "case.*")
    assert ask(written, "/cases").status_code == 302


def test_a_write_needs_no_csrf_token_and_its_evidence_names_the_token() -> None:
    token, written = token_of(person("wang", "dispatcher"), "case.*", "procedure.*")
    browser = Browser(enforce_csrf_checks=True)
    body = {"kind": "air_exceedance", "title": "扬尘", "description": "请核实"}
    answer = browser.post("/api/cases", body, content_type="application/json", headers={"Authorization": f"Bearer {written}"})
    assert answer.status_code == 200
    assert EvidenceRecord.objects.filter(action="case.open", facts__token=token.prefix).count() == 1


def test_a_token_cannot_exceed_its_holder() -> None:
    with pytest.raises(HaitangError, match="beyond_holder"):
        token_of(person("wang", "verifier"), "people.create")


def test_a_token_shrinks_with_its_holder() -> None:
    who = person("wang", "verifier")
    _, written = token_of(who, "alarm.read")
    assert ask(written, "/api/alarms").status_code == 200
    RoleHolding.objects.filter(person=who).delete()
    assert ask(written, "/api/alarms").status_code == 403


@pytest.mark.parametrize("days", [0, -1, 400])
def test_a_token_ends(days: int) -> None:
    with pytest.raises(HaitangError, match="bad_expiry"):
        token_of(person("wang", "verifier"), "alarm.read", days=days)


@pytest.mark.parametrize("what", ["expired", "revoked", "left", "wrong secret", "odd"])
def test_what_is_over_opens_nothing(what: str) -> None:
    who = person("wang", "verifier")
    token, written = token_of(who, "alarm.read")
    assert ask(written, "/api/alarms").status_code == 200  # what was true a request ago counts no longer
    match what:
        case "expired":
            Token.objects.update(expires_at=clock.now() - timedelta(seconds=1))
        case "revoked":
            with acting(actor_of(who)) as act:
                actions.revoke_token(act=act, token=token)
        case "left":
            Person.objects.filter(pk=who.pk).update(is_active=False)
        case "wrong secret":
            written = written[:-1] + ("A" if written[-1] != "A" else "B")
        case "odd":
            written = "ht_\0"
    answer = ask(written, "/api/alarms")
    assert (answer.status_code, answer.json()["code"]) == (401, "tokens.not_valid")


def test_the_secret_is_kept_nowhere() -> None:
    token, written = token_of(person("wang", "verifier"), "alarm.read")
    kept = str(Token.objects.filter(pk=token.pk).values()) + str(list(EvidenceRecord.objects.values_list("facts", flat=True)))
    assert written not in kept
    assert written[14:] not in kept


def test_rotating_gives_the_same_scope_and_ends_the_old_one() -> None:
    who = person("wang", "verifier")
    old, written = token_of(who, "alarm.read", "thing.read")
    with acting(proved(who)) as act:
        new, again = actions.rotate_token(act=act, token=old)
    assert new.scopes == ["alarm.read", "thing.read"]
    assert [ask(text, "/api/alarms").status_code for text in (written, again)] == [401, 200]


def test_during_an_overlap_both_open() -> None:
    who = person("wang", "verifier")
    old, written = token_of(who, "alarm.read")
    with acting(proved(who)) as act:
        actions.rotate_token(act=act, token=old, overlap=timedelta(hours=1))
    assert ask(written, "/api/alarms").status_code == 200


def test_anothers_token_is_not_revoked() -> None:
    token, _ = token_of(person("wang", "verifier"), "alarm.read")
    with pytest.raises(HaitangError, match="not_allowed"), acting(actor_of(person("li", "verifier"))) as act:
        actions.revoke_token(act=act, token=token)


def test_a_token_makes_no_tokens() -> None:
    _, written = token_of(person("wang", "verifier"), "alarm.read")
    body = {"title": "x", "scopes": ["alarm.read"], "expires_at": (clock.now() + timedelta(days=1)).isoformat()}
    assert ask(written, "/api/tokens", "post", data=body, content_type="application/json").status_code == 403


def test_a_token_limited_to_a_resource_touches_no_other() -> None:
    _, written = token_of(person("wang", "verifier"), "data.read", only=["resource:permit"])
    _, who = queries.authenticated(written)
    permit, other = (
        engine().verdict(who, "data.read", Subject(ref, "resource"), NONE).allowed for ref in ("resource:permit", "resource:x")
    )
    assert (permit, other) == (True, False)
    assert rows(who, "data.read").holds(Subject("resource:permit", "resource"))
    assert scope(who, "data.read") == "own"


def client_of(*roles: str) -> Client:
    with acting(system("operator")) as act:
        return actions.register_client(
            act=act, title="水利平台", purpose="取报警", organization=Organization.objects.get(pk="water"), responsible=Person.objects.first(),
            roles=roles,
        )  # fmt: skip


def client_token(client: Client, *scopes: str) -> str:
    with acting(system("operator")) as act:
        return actions.create_client_token(act=act, client=client, title="正式", scopes=scopes, expires_at=act.at + timedelta(days=90))[1]


def test_an_outside_system_acts_as_itself_within_its_roles() -> None:
    person("li")
    written = client_token(client := client_of("verifier"), "alarm.read")
    told = ask(written, "/api/tokens/self").json()
    assert (told["kind"], told["person"]) == ("system", str(client.id))
    assert (told["may"], ask(written, "/api/alarms").status_code) == (["alarm.read"], 200)


def test_a_system_that_is_switched_off_opens_nothing() -> None:
    person("li")
    written = client_token(client := client_of("verifier"), "alarm.read")
    with acting(system("operator")) as act:
        actions.set_client_active(act=act, client=client, active=False)
    assert ask(written, "/api/alarms").status_code == 401


def test_no_outside_system_administers_anything() -> None:
    person("li")
    with pytest.raises(HaitangError, match="role_not_for_clients"):
        client_of("administrator")


def test_an_account_with_a_one_time_password_has_no_working_token() -> None:
    with acting(system("operator")) as act:
        made = create_person(act=act, username="new", name="新", password="a-long-passw0rd")
    RoleHolding.objects.create(person=made, role="verifier")
    assert ask(token_of(made, "alarm.read")[1], "/api/alarms").status_code == 401


def test_whoever_gives_a_system_its_roles_never_holds_its_key() -> None:
    keeper, security = person("li"), person("security", "security_administrator")
    client = client_of("dispatcher")
    asked = {"title": "正式", "scopes": ["alarm.read"], "expires_at": clock.now() + timedelta(days=9)}
    with pytest.raises(HaitangError, match="not_allowed"), acting(proved(security)) as act:
        actions.create_client_token(act=act, client=client, **asked)
    with acting(proved(keeper)) as act:
        token, written = actions.create_client_token(act=act, client=client, **asked)
    assert ask(written, "/api/alarms").status_code == 200
    with pytest.raises(HaitangError, match="not_allowed"), acting(proved(security)) as act:
        actions.rotate_token(act=act, token=token)
    with acting(proved(security)) as act:
        actions.revoke_token(act=act, token=token)
    assert ask(written, "/api/alarms").status_code == 401


@pytest.mark.parametrize("role", ["security_administrator", "administrator"])
def test_no_officer_answers_for_a_system(role: str) -> None:
    security, officer = person("security", "security_administrator"), person("officer", role)
    Person.objects.update(synthetic=False)
    officer.refresh_from_db()
    with pytest.raises(HaitangError, match="own_client"), acting(proved(security)) as act:
        actions.register_client(
            act=act, title="水利平台", purpose="取报警", organization=officer.organization, responsible=officer, roles=["dispatcher"]
        )


def test_who_answers_for_a_system_makes_its_token_on_their_page() -> None:
    keeper = person("li")
    client = client_of("verifier")
    browser = proved_client(keeper)
    assert "我负责的外部系统：水利平台" in browser.get("/tokens").content.decode()
    made = browser.post(f"/tokens/clients/{client.pk}", {"do": "token", "title": "正式", "scopes": ["alarm.read"], "days": "30"})
    assert ask(made.context["written"], "/api/alarms").status_code == 200
    assert browser.post(f"/tokens/clients/{client.pk}", {"do": "off"}).status_code == 403
