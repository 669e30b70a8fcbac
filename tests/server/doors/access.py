"""Who gets through which door: each route and method, asked by each role of the thing's own organization and of another."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from haitang.base import clock
from haitang.base.actions import Actor, permissions
from haitang.base.declarations import in_force
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Person, RoleHolding
from haitang.support.security.policy.decide import CedarPolicy
from haitang.support.security.policy.entities import Subject
from tests.server.doors.conftest import EveryRole
from tests.server.doors.routes import Route

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OWN, OTHER = "ecology", "water"  # the sample case is the ecology bureau's
ENDS_A_SESSION = {"sign-out", "api/session", "personas/<role>", "api/personas/<role>"}

UPLOADS = {"POST api/cases/<number>/attachments"}
UPLOAD = "multipart/form-data; boundary=haitang"
FILE = '--haitang\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\na\r\n--haitang--\r\n'


@dataclass
class Recorder:
    """What policy was asked while a request was answered, and what it said."""

    said: list[tuple[str, bool]] = field(default_factory=list)

    @contextmanager
    def listening(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        ask = CedarPolicy.decide

        def decide(policy: CedarPolicy, **asked: Any) -> Any:
            found = ask(policy, **asked)
            self.said.append((asked["permission"], found.allowed))
            return found

        with monkeypatch.context() as patched:
            patched.setattr(CedarPolicy, "decide", decide)
            yield


def person(name: str, roles: list[str], organization: str | None) -> Client:
    made = Person.objects.create(username=name, name=name, synthetic=True, kind="staff", organization_id=organization)
    RoleHolding.objects.bulk_create([RoleHolding(person=made, role=role) for role in roles])
    client = Client(raise_request_exception=False)
    client.force_login(made)
    session = client.session
    session["proved"] = (
        clock.now() + timedelta(hours=1)
    ).isoformat()  # sensitive actions too say who may, and not only that they ask once more
    session.save()
    return client


def askers() -> dict[str, Client]:
    """`nobody`, `without` a role, and each role as `role@own` and `role@other`."""
    found = {"nobody": Client(raise_request_exception=False), "without": person("no-role", [], OTHER)}
    for role in in_force().all(Role):
        for where, organization in (("own", OWN), ("other", OTHER)):
            found[f"{role}@{where}"] = person(f"{role}-{where}", [role], organization)
    return found


@dataclass
class Asking:
    """Asks one route after the other, each time as if nothing had been asked before."""

    samples: Mapping[str, str]
    bodies: Mapping[str, Any]
    recorder: Recorder

    def served(self, client: Client | EveryRole, route: Route) -> list[str]:
        """The methods that a route knows."""
        if route.pattern == "api/openapi.json":  # answers every method alike, slowly
            return ["GET"]
        return [method for method in METHODS if self.ask(client, method, route).status_code != 405]

    def ask(self, client: Client | EveryRole, method: str, route: Route) -> Any:
        key, json = f"{method} {route.pattern}", route.pattern.startswith("api/")
        body = self.bodies.get(key, {} if json else "")
        cookies = client.cookies.output()
        with transaction.atomic():
            self.recorder.said.clear()
            type = UPLOAD if key in UPLOADS else _type(body, json)
            answer = client.generic(method, route.address(dict(self.samples)), FILE if key in UPLOADS else _text(body), content_type=type)
            transaction.set_rollback(True)
        if client.cookies.output() != cookies:
            client.cookies.load(cookies.replace("Set-Cookie: ", ""))
        return answer

    def outcome(self, client: Client, method: str, route: Route) -> str:
        """in: got through; out: refused; not found; unclear: refused for its content before anybody was asked."""
        answer = self.ask(client, method, route)
        assert answer.status_code < 500, f"{method} {route.pattern}: {answer.status_code}"
        if answer.status_code in (401, 403) or (answer.status_code == 302 and answer["Location"].startswith("/sign-in")):
            return "out"
        if answer.status_code < 400 or any(allowed for word, allowed in self.recorder.said if word != "notices.tell"):
            return "in"
        return "not found" if answer.status_code == 404 else "unclear"

    def outcomes(self, askers: Mapping[str, Client], method: str, route: Route) -> dict[str, str]:
        """By asker; whom the answer cannot differ for is not asked: roles where everybody gets through, another organization where one's own does not."""
        found: dict[str, str] = {}
        for who, client in askers.items():
            role, _, where = who.partition("@")
            if "in" in (found.get("nobody"), found.get("without")) or (where == "other" and found[f"{role}@own"] != "in"):
                continue
            found[who] = self.outcome(client, method, route)
        return found


def _text(body: Any) -> str:
    import json

    return body if isinstance(body, str) else json.dumps(body)


def _type(body: Any, json: bool) -> str:
    return "application/json" if json and not isinstance(body, str) else "application/x-www-form-urlencoded"


def summed_up(outcomes: Mapping[str, str]) -> list[str]:
    """`anyone`, `signed in`, or roles; `handler@own` gets through for its own organization only."""
    through = {who for who, outcome in outcomes.items() if outcome == "in"}
    if "nobody" in through:
        return ["anyone"]
    if "without" in through:
        return ["signed in"]
    roles = sorted({who.partition("@")[0] for who in through})
    return [
        role if {f"{role}@own", f"{role}@other"} <= through else f"{role}@{'own' if f'{role}@own' in through else 'other'}"
        for role in roles
    ]


def sample_bodies(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A smallest body for each operation of the API, made from its OpenAPI schema: content never stands before the door."""
    found = {}
    for address, operations in schema["paths"].items():
        pattern = address.lstrip("/").replace("{", "<").replace("}", ">")
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if content:
                found[f"{method.upper()} {pattern}"] = _sample(content, schema)
    return found


def _sample(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    if "$ref" in part:
        return _sample(schema["components"]["schemas"][part["$ref"].rpartition("/")[2]], schema)
    if "anyOf" in part:
        return _sample(part["anyOf"][0], schema)
    if "enum" in part or "const" in part:
        return part.get("const", part.get("enum", [None])[0])
    match part.get("type"):
        case "object":
            return {name: _sample(part["properties"][name], schema) for name in part.get("required", [])}
        case "array":
            return []
        case "boolean":
            return True
        case "integer" | "number":
            return 1
    return {"date": "2026-03-01", "date-time": "2026-03-01T08:00:00+08:00", "uuid": "00000000-0000-7000-8000-000000000000"}.get(
        part.get("format", ""), "x" * max(1, part.get("minLength", 1))
    )


def device_doors() -> dict[str, str]:
    """`DEVICE permission` -> who gets through: each sort of identity, on the thing that it is itself and on another one, by the thing's status."""
    import haitang.support.infrastructure.listeners.rights  # noqa: F401  registers the permissions

    found = {}
    for word in sorted(word for word in permissions if word.startswith("device.")):
        through = []
        for kind in ("device", "staff", "citizen", "enterprise", "system"):
            for whose, ref in (("itself", "t1"), ("another", "t2")):
                for status in ("admitted", "provisional", "retired"):
                    subject = Subject(f"thing:{ref}", "thing", "ecology", owner=f"device:{ref}", stage=status, device="air_station")
                    if CedarPolicy().decide(actor=Actor(kind, "t1", "t1", "ecology"), permission=word, resource=subject).allowed:
                        through.append(f"{kind}@{whose}:{status}")
        found[f"DEVICE {word}"] = " ".join(through)
    return found
