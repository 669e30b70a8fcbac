"""The release in force for this process, and how folders become one."""

from haitang.base.actions import Act, acting, system
from haitang.base.declarations.actions import admit_release, propose_release
from haitang.base.declarations.changes import Change, changes, objections
from haitang.base.declarations.checks import Problem
from haitang.base.declarations.consent import needs_consent
from haitang.base.declarations.content import content_of, digest_of
from haitang.base.declarations.loader import Loaded
from haitang.base.declarations.models import Admission, Proposal
from haitang.base.declarations.release import RELEASE_BROKEN, Source, current_admission, load_in_force, load_release
from haitang.base.errors import HaitangError
from haitang.server.declared import load, owners_with

current = Source()  # what `boot` puts in force


class Plan:
    """What the folders on disk would change."""

    def __init__(self, loaded: Loaded, now: Admission | None) -> None:
        before = load_release(now.release) if now else None
        self.waits = needs_consent(before, loaded)
        self.loaded = loaded
        self.digest = digest_of(content_of(loaded.owners))
        self.in_force = now.release_id if now else ""
        self.changes: list[Change] = changes(before, loaded)
        self.said: list[Problem] = objections(before.partial if before else None, loaded)

    @property
    def refusals(self) -> list[Problem]:
        return [problem for problem in [*self.loaded.errors, *self.said] if problem.severity == "error"]

    @property
    def is_new(self) -> bool:
        return self.digest != self.in_force


def plan() -> Plan:
    """Compare the folders of this instance with the release in force."""
    return Plan(load(owners_with(None)), current_admission())


def apply(act: Act) -> Admission | Proposal:
    """Admit what the folders say and seed what is new; raises when it is refused or already in force.

    A release that changes who may do what is proposed instead: the security administrator puts it in force.
    """
    from haitang.base.actions import permissions

    load([])  # registers every permission
    if plan().waits:
        return propose_release(act=act, owners=owners_with(None), permissions=permissions)
    return _admit(act)


def _admit(act: Act) -> Admission:
    from haitang.base.actions import permissions

    load([])
    admission = admit_release(act=act, owners=owners_with(None), permissions=permissions)
    _seed(act)
    return admission


def _seed(act: Act) -> None:
    from haitang.server.seeding import seed

    current.forget()
    seed(load_in_force(), act=act)


class Seeder:
    """Serves the port `seeding`."""

    def seed(self) -> None:
        with acting(system("setup")) as act:
            _seed(act)


def ensure_release() -> Admission | None:
    """At a start: the folders become the first release, or replace one that this version of the software no longer reads.

    A folder that merely differs waits for a person's `haitang apply`. Returns the admission where one was made.
    """
    if current_admission() is not None:
        try:
            load_in_force()
        except HaitangError as broken:
            if broken.kind is not RELEASE_BROKEN:
                raise
        else:
            return None
    with acting(system("setup")) as act:
        return _admit(act)
