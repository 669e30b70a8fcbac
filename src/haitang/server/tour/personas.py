"""The people of the tour: synthetic, each with one role, signed in over HTTP like anybody else."""

import secrets
from typing import Any

import httpx

from haitang.base.actions import acting, system
from haitang.server.tour.report import NotHeld
from haitang.support.security.people.actions import create_person, give_role
from haitang.support.security.people.models import Person
from haitang.support.security.tls.contexts import verifying

_NAMES = {
    "dispatcher": "派遣员（示例）",
    "handler": "处置人员（示例）",
    "verifier": "核查员（示例）",
    "auditor": "审计员（示例）",
    "department_head": "部门负责人（示例）",
}


class Persona:
    """A signed-in synthetic person."""

    def __init__(self, url: str, person: Person, password: str) -> None:
        self.id, self._username, self._password = str(person.id), person.username, password
        self._client = self.enter(
            httpx.Client(base_url=url, timeout=60, trust_env=False, verify=verifying(), headers={"Referer": f"{url}/"})
        )  # asked for by https

    def enter(self, client: httpx.Client) -> httpx.Client:
        """Sign in, or anew, on a client of the caller's own; gives that client."""
        client.cookies.clear()
        client.headers.pop("X-CSRFToken", None)
        who = self._answer(client.post("/api/session", json={"username": self._username, "password": self._password}))
        client.headers["X-CSRFToken"] = who["csrf"]
        return client

    def get(self, path: str, **params: Any) -> Any:
        return self._answer(self._client.get(path, params=params))

    def post(self, path: str, body: Any) -> Any:
        return self._answer(self._client.post(path, json=body))

    def upload(self, path: str, name: str, content: bytes) -> Any:
        return self._answer(self._client.post(path, files={"file": (name, content)}))

    def status_of(self, path: str, body: Any) -> tuple[int, Any]:
        """What a POST that should be refused answers."""
        answer = self._client.post(path, json=body)
        return answer.status_code, answer.json()

    def _answer(self, answer: httpx.Response) -> Any:
        if answer.is_error:
            raise NotHeld(f"{answer.request.method} {answer.request.url.path} -> {answer.status_code} {answer.text[:300]}")
        return answer.json()


def runs_organization(run: str) -> str:
    """The organization that a gathering run came from."""
    from haitang.hub.data.gather.models import Run

    return Run.objects.get(pk=run).organization


def make(url: str, role: str, organization: str | None = None, name: str = "") -> Persona:
    """Create the synthetic person of a role and sign in; `name` where there is one of that role already."""
    password = f"{secrets.token_urlsafe(18)}-a1"  # letters and digits, whatever chance gives
    with acting(system("operator")) as act:
        person = create_person(
            act=act, username=f"tour-{name or role}", name=_NAMES[role], organization=organization, password=password, synthetic=True
        )
        give_role(act=act, person=person, role=role)
    return Persona(url, person, password)
