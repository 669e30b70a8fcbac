"""The shipped district with one of everything, an empty lake, a person without a role and one with every role."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from haitang.base import settings
from haitang.base.actions import NOT_ALLOWED, Refusal, Refused, acting, system
from haitang.base.clock import now
from haitang.base.declarations import Declarations, in_force, put_in_force
from haitang.base.declarations.models import Edit, Proposal, Provisional, Release
from haitang.base.ports import Decision
from haitang.hub.business.cases.actions import attach, open_case
from haitang.hub.business.notifications.models import Notice
from haitang.hub.business.pages.kinds import Page
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.gather.models import Held, Run
from haitang.hub.data.indicators.kinds import Indicator
from haitang.hub.data.rules.actions import raise_alarm
from haitang.hub.data.rules.kinds import Rule
from haitang.hub.data.rules.machine import Episode
from haitang.server.declared import load, owners_with
from haitang.server.seeding import seed
from haitang.support.infrastructure.commands.models import DeviceCommand
from haitang.support.infrastructure.credentials.actions import issue
from haitang.support.infrastructure.groups.actions import save_group, set_members
from haitang.support.infrastructure.things.actions import plan_maintenance
from haitang.support.infrastructure.things.models import Thing
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Organization, Person, RoleHolding
from haitang.support.security.people.officers import OFFICERS
from haitang.support.security.people.queries import actor_of
from haitang.support.security.policy.refusals import kept
from haitang.support.security.tokens.actions import create_client_token, register_client
from tests.browser.district import PNG
from tests.hub.data.fresh import fresh_lake


@pytest.fixture(scope="session")
def shipped() -> Declarations:
    loaded = load(owners_with(None))
    assert loaded.declarations, "\n".join(map(str, loaded.errors))
    return loaded.declarations


@pytest.fixture(scope="package")
def in_place(shipped: Declarations, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the product ships, in force, over an empty lake."""
    forced = sys.modules["haitang.base.declarations.in_force"]
    before, kept = forced._current, settings._current
    put_in_force(shipped)
    with fresh_lake(tmp_path_factory.mktemp("doors")):
        yield
    forced._current, settings._current = before, kept  # type: ignore[attr-defined]


@pytest.fixture
def district(db: None, in_place: None, shipped: Declarations) -> None:
    """No row but what the place declares."""
    with acting(system("setup")) as act:
        seed(shipped, act=act)


def client_of(username: str, roles: list[str]) -> Client:
    person = Person.objects.create(username=username, name=username, synthetic=True, kind="staff")
    RoleHolding.objects.bulk_create([RoleHolding(person=person, role=role) for role in roles])
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


class EveryRole:
    """Every role, held by as many people as rules of separation ask for: whoever of them gets through answers, and is asked first the next time."""

    def __init__(self) -> None:
        apart = [*OFFICERS, "auditor"]
        self._people = [client_of("everything", [role for role in in_force().all(Role) if role not in apart])]
        self._people += [client_of(f"the-{role}", [role]) for role in apart]
        self._through: dict[tuple[str, str], Client] = {}
        self.cookies = self._people[0].cookies

    def get(self, address: str, data: dict[str, Any] | None = None) -> Any:
        return self._ask(address, "GET", lambda client: client.get(address, data))

    def generic(self, method: str, address: str, *args: Any, **more: Any) -> Any:
        return self._ask(address, method, lambda client: client.generic(method, address, *args, **more))

    def _ask(self, address: str, method: str, ask: Callable[[Client], Any]) -> Any:
        known, missing = self._through.get((method, address)), None
        for client in [known] if known else self._people:
            answer = ask(client)
            if answer.status_code not in (403, 404):
                self._through[method, address] = client
                return answer
            missing = answer if answer.status_code == 404 else missing
        return missing or answer


@dataclass
class Clients:
    """Who asks: nobody, a person without a role, people of every role."""

    nobody: Client = field(default_factory=lambda: Client(raise_request_exception=False))
    without: Client = field(default_factory=lambda: client_of("without", []))
    everything: EveryRole = field(default_factory=EveryRole)


@pytest.fixture
def clients(district: None) -> Clients:
    return Clients()


@pytest.fixture
def samples(clients: Clients) -> dict[str, str]:
    """One of everything: text before a parameter (earlier ones as `*`) -> a value for it."""
    from io import BytesIO

    thing, rule = Thing.objects.order_by("pk")[0], in_force().get(Rule, "pm2_5_exceeds")
    with acting(system("operator")) as act:
        credential = issue(act=act, thing=thing).credential.identifier
    command = DeviceCommand.objects.create(
        thing=thing, protocol="mqtt", name="restart", issued_at=now(), issued_by="system:operator", expires_at=now()
    )
    with acting(system("rules")) as act:
        episode = Episode(key=1, opened=1_772_294_400_000_000, value=118.0, origin="simulated")
        alarm = raise_alarm(act=act, rule=rule, thing=thing.pk, name=thing.title, episode=episode)
        case = open_case(act=act, kind="air_exceedance", title="扬尘", description="请核实")
        digest = attach(act=act, case=case, stream=BytesIO(PNG), name="现场.png").digest
    edit = Edit.objects.create(
        kind="rule", declaration=rule.id, key="for", old="2h", new="3h", effective=date(2030, 1, 1), reason="会商决定",
        proposed_by="staff:another", proposed_at=case.opened_at,
    )  # fmt: skip
    asked_by = {"proposed_by": "staff:another", "proposed_at": case.opened_at}
    sign_in = Edit.objects.create(kind="sign_in", declaration="staff", key="attempts", new=6, effective=date(2030, 1, 1), **asked_by)
    waiting = Release.objects.create(digest="0" * 64, content={"owners": []}, created_at=case.opened_at, created_by="system:operator")
    proposal = Proposal.objects.create(release=waiting, replaces="", **asked_by)
    mine = Person.objects.get(username="everything")
    notice = Notice.objects.create(
        batch=UUID(int=7), person=mine, title="通知", link="/cases", subject=f"case:{case.pk}", created_at=case.opened_at
    )
    record = str(EvidenceRecord.objects.filter(subject_kind="case").order_by("id")[0].ref)
    with acting(system("operator")) as act:
        group = save_group(act=act, id="river", title="沿河站点", new=True)
        set_members(act=act, group=group, add=[thing.pk])
        window = plan_maintenance(act=act, thing=thing, starts_at=act.at, ends_at=act.at + timedelta(hours=1), reason="校准")
    indicator, derive = next(iter(in_force().all(Indicator))), next(iter(in_force().all(Derive)))
    run = Run.objects.create(
        resource="enterprise_permit",
        organization="ecology",
        columns={"holder": "持证单位"},
        state="done",
        quarantined=1,
        read=1,
        created_at=case.opened_at,
        created_by="system:test",
    )
    held = Held.objects.create(
        run=run, part=1, line=2, raw="示例", cells={"持证单位": "示例"}, reasons=[{"field": "holder", "code": "required"}]
    )
    provisional = Provisional.objects.create(
        declaration="proposed", title="提议的资源", files={}, organization="ecology", proposed_by="system:test", proposed_at=case.opened_at
    )
    water = Organization.objects.get(pk="water")
    with acting(system("operator")) as act:
        outside = register_client(act=act, title="水利平台", purpose="取报警", organization=water, responsible=mine, roles=["verifier"])
        token, _ = create_client_token(act=act, client=outside, title="正式", scopes=["alarm.read"], expires_at=act.at + timedelta(days=9))
    nobody = Refused(NOT_ALLOWED, {}, Refusal(actor_of(mine), "case.move", case, Decision(False, "没有角色获得此项授权", "no_role")))
    refused = kept(nobody.refusal, "POST /cases")
    values = {
        "resource": "enterprise_permit", "run": str(run.pk), "provisional": str(provisional.pk), "held": str(held.pk), "thing": thing.pk, "alarm": str(alarm.pk), "case": case.number, "indicator": indicator, "derive": derive, "notice": str(notice.pk),
        "page": next(iter(in_force().all(Page))), "person": str(mine.pk), "edit": str(edit.pk), "digest": digest, "record": record,
        "batch": str(notice.batch), "subject": f"case:{case.pk}", "case_id": str(case.pk), "role": "handler",
        "credential": credential, "command": str(command.pk), "window": str(window.pk), "group": group.pk,
        "refusal": refused.code, "token": str(token.pk), "client": str(outside.pk),
        "sign_in": str(sign_in.pk), "proposal": str(proposal.pk),
    }  # fmt: skip
    return {key: values.get(name, name) for key, name in SAMPLES.items()}


SAMPLES = {
    "resources/": "resource", "gather/sources/": "no_source", "gather/runs/": "run", "gather/provisional/": "provisional", "gather/rows/": "held", "api/gather/runs/": "run", "api/gather/rows/": "held",
    "things/": "thing", "things/*/credentials/": "credential", "things/*/commands/": "command", "api/things/": "thing", "api/things/*/commands/": "command", "things/*/maintenance/": "window", "things/groups/": "group", "things/groups/*/do/": "save", "readings/": "thing", "charts/things/": "thing", "charts/things/*/": "pm2_5", "charts/alarms/": "alarm",
    "charts/case/": "case", "charts/derived/": "derive", "derivations/": "derive", "charts/indicators/": "indicator", "alarms/": "alarm", "indicators/": "indicator",
    "pages/": "page", "cases/": "case", "cases/*/do/": "dispatch", "m/tasks/": "case", "maps/case/": "case", "notices/": "notice",
    "notices/batch/": "batch", "notices/about/": "subject", "people/": "person", "people/organizations/": "ecology", "people/*/sessions/": "batch", "people/*/delegations/": "batch", "walls/": "batch", "account/sessions/": "batch", "account/factors/": "batch", "client-systems/": "batch",
    "account/delegations/": "batch", "people/requests/": "batch", "people/import/": "batch", "invitation/": "batch", "personas/": "role", "cockpit/": "tiles", "evidence/": "case",
    "evidence/receipts/": "record", "evidence/keys/": "batch", "evidence/of-case/": "case", "R/": "NONSENSE",
    "tokens/": "token", "tokens/clients/": "client", "api/tokens/": "token", "why/": "refusal", "api/why/": "refusal",
    "api/resources/": "resource",
    "policies/changes/releases/": "proposal", "policies/changes/edits/": "sign_in",
    "evidence/*/": "case_id", "declarations/edits/": "edit", "api/cases/": "case", "api/cases/*/attachments/": "digest",
    "api/notices/": "notice", "api/indicators/": "indicator", "api/evidence/records/": "record", "api/personas/": "role",
    }  # fmt: skip
