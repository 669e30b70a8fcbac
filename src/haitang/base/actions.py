"""Every write of the control plane: one transaction, permission, evidence, event.

    with acting(actor) as act:
        case = open_case(act=act, kind="air_exceedance", ...)

`acting` opens one PostgreSQL transaction. A function marked `@action` asks the policy port before it runs and must leave at least one
evidence record through `act.record`; one that leaves none is rolled back: no evidence, no write. Actions compose inside one `acting`.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from haitang.base import clock, ports
from haitang.base.errors import ErrorKind, HaitangError, error

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

NOT_ALLOWED = error("base.not_allowed", 403, "{actor} 无权执行“{permission}”：{reason}")
NEEDS_PROOF = error("base.needs_proof", 403, "“{action}”属于重要操作，请先再次验证身份。")
NO_EVIDENCE = error("base.no_evidence", 500, "操作“{action}”没有留下证据，已撤销。请报告平台维护人员。")


@dataclass(frozen=True)
class TokenScope:
    """What an API token leaves of its holder's permissions. `only`: ids of the resources that it is good for (None: not limited)."""

    id: str
    scopes: frozenset[str]
    only: frozenset[str] | None = None


@dataclass(frozen=True)
class Actor:
    """Who acts. `kind` is staff, citizen, enterprise, device or system (support.security.people makes these).

    `on_behalf_of`: the ref of the person whose duty it is, where a duty was delegated; evidence and events say so. `proved_until`: until when the
    actor counts as having just proved who they are (a second factor, or the password where there is none); an action marked `fresh` asks for it.
    """

    kind: str
    id: str
    name: str
    organization: str | None = None
    roles: frozenset[str] = frozenset()
    token: "TokenScope | None" = None
    on_behalf_of: str | None = None
    proved_until: datetime | None = field(default=None, compare=False)

    @property
    def ref(self) -> str:
        return f"{self.kind}:{self.id}"

    @property
    def refs(self) -> frozenset[str]:
        """Everyone whose doing this is: the actor, and on whose behalf. Whoever may not do both of two things may not do them for another either."""
        return frozenset({self.ref, self.on_behalf_of or self.ref})


def system(name: str) -> Actor:
    """A process of the platform itself, for example `system("rules")`."""
    return Actor(kind="system", id=name, name=name)


@dataclass
class Act:
    """One transaction of one actor: the time it happens, the release in force, what it leaves behind.

    `memory` is what rooms need not read again before the transaction ends, such as the log of a run that they hold locked. `later` is what is written
    in one statement when it ends; an act without it writes each thing at once.
    """

    actor: Actor
    at: datetime
    release: str
    records: list[str] = field(default_factory=list)
    _action: list[str] = field(default_factory=list)
    memory: dict[Any, Any] = field(default_factory=dict)
    later: "Later | None" = None

    def record(self, subject_kind: str, subject_id: str, facts: Mapping[str, Any] | None = None) -> str:
        """Leave an evidence record of the running action about a subject; returns its id. No personal data in `facts`.

        What was done on behalf of somebody, or by a token, says so in its record.
        """
        for_whom = {"on_behalf_of": self.actor.on_behalf_of} if self.actor.on_behalf_of else {}
        said = {**(facts or {}), **for_whom, **({"token": self.actor.token.id} if self.actor.token else {})}
        ref = ports.evidence().append(act=self, action=self._action[-1], subject_kind=subject_kind, subject_id=subject_id, facts=said)
        self.records.append(ref)
        return ref

    def announce(self, topic: str, payload: Mapping[str, Any]) -> None:
        """Tell open pages, once the transaction commits."""
        self.write_last(_announce, (topic, payload))

    def write_last(self, write: Callable[[list[T]], None], item: T) -> None:
        """Have `write` called once with everything that was given for it, just before the transaction commits."""
        if self.later is None:
            write([item])
        else:
            self.later.add(write, item)


def _announce(given: list[tuple[str, Mapping[str, Any]]]) -> None:
    ports.live().announce_all(given)


class Later:
    """What waits for the end of a transaction. What was given inside a savepoint that was rolled back is gone with it, as a row written at once would be."""

    def __init__(self) -> None:
        self._given: dict[Callable[[list[Any]], None], list[tuple[Callable[[], None], Any]]] = {}

    def add(self, write: Callable[[list[Any]], None], item: Any) -> None:
        from django.db import transaction

        def there() -> None:  # Django forgets it when the savepoint is rolled back
            """Stands for the item among what waits for the commit."""

        transaction.on_commit(there)
        self._given.setdefault(write, []).append((there, item))

    def write(self) -> None:
        from django.db import connection, transaction

        if transaction.get_rollback():
            return
        standing = {id(each[1]) for each in connection.run_on_commit}
        for write, given in self._given.items():
            if items := [item for there, item in given if id(there) in standing]:
                write(items)
        self._given.clear()


@contextmanager
def acting(actor: Actor, *, at: datetime | None = None) -> Iterator[Act]:
    """Open the transaction in which `actor` acts. `at` is for replays of what happened earlier."""
    from django.db import transaction

    from haitang.base.declarations import release_digest

    with transaction.atomic():
        act = Act(actor=actor, at=at or clock.now(), release=release_digest(), later=Later())
        yield act
        assert act.later
        act.later.write()


def noting(actor: Actor) -> Act:
    """An act that writes nothing but one record of evidence, at once: one statement needs no transaction around it, of which each begin and commit is a question of its own."""
    from haitang.base.declarations import release_digest

    return Act(actor=actor, at=clock.now(), release=release_digest())


permissions: dict[str, str] = {}
writes: set[str] = set()  # the permissions that actions ask for; the others only read


def permission(name: str, title: str) -> str:
    """Register a permission word (`case.move`) with its title in zh-Hans; roles name it under `may`."""
    permissions[name] = title
    return name


@dataclass(frozen=True)
class Refusal:
    """What was asked and refused, for whoever explains it."""

    actor: Actor
    permission: str
    resource: Any
    decision: "ports.Decision"


class Refused(HaitangError):
    """NOT_ALLOWED, with what was asked: the boundary keeps it and answers with a reference to its explanation."""

    def __init__(self, kind: ErrorKind, data: dict[str, Any], refusal: Refusal) -> None:
        super().__init__(kind, data)
        self.refusal = refusal


def require(act_or_actor: Act | Actor, name: str, resource: Any = None) -> None:
    """Raise NOT_ALLOWED unless policy gives `name` on `resource`."""
    actor = act_or_actor.actor if isinstance(act_or_actor, Act) else act_or_actor
    decision = ports.policy().decide(actor=actor, permission=name, resource=resource)
    if not decision.allowed:
        raise Refused(
            NOT_ALLOWED,
            {"actor": actor.name, "permission": permissions.get(name, name), "reason": decision.reason},
            Refusal(actor, name, resource, decision),
        )


def may(actor: Actor, name: str, resource: Any = None) -> bool:
    """Whether policy gives `name` on `resource`: for what a page leaves out; `require` refuses."""
    return ports.policy().decide(actor=actor, permission=name, resource=resource).allowed


fresh_actions: dict[str, str] = {}


def _refuse_unless_fresh(act: Act, title: str) -> None:
    """A process of the platform has nobody to ask."""
    until = act.actor.proved_until
    if act.actor.kind != "system" and (until is None or until < act.at):
        raise NEEDS_PROOF(action=title)


def action(name: str, *, title: str, resource: str | None = None, fresh: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a write. `name` is its permission; `resource` names the keyword argument that policy looks at.

    `fresh`: a sensitive action, for which a person proves once more who they are (raises NEEDS_PROOF; a page then asks, and goes on).
    """
    permission(name, title)
    writes.add(name)
    if fresh:
        fresh_actions[name] = title

    def mark(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            act = kwargs["act"]
            assert isinstance(act, Act)
            require(act, name, kwargs.get(resource) if resource else None)
            if fresh:
                _refuse_unless_fresh(act, title)
            before = len(act.records)
            act._action.append(name)
            try:
                result = function(*args, **kwargs)
            finally:
                act._action.pop()
            if len(act.records) == before:
                raise NO_EVIDENCE(action=title)
            return result

        run.action_name = name  # type: ignore[attr-defined]
        return run

    return mark
