"""The release in force for this process, and how folders become one."""

from haitang.base.actions import Act, acting, system
from haitang.base.declarations.actions import admit_release
from haitang.base.declarations.changes import Change, changes, objections
from haitang.base.declarations.checks import Problem
from haitang.base.declarations.content import content_of, digest_of
from haitang.base.declarations.loader import Loaded
from haitang.base.declarations.models import Admission
from haitang.base.declarations.release import RELEASE_BROKEN, Source, current_admission, load_in_force, load_release
from haitang.base.errors import HaitangError
from haitang.server.declared import load, owners_with

current = Source()  # what `boot` puts in force


class Plan:
    """What the folders on disk would change."""

    def __init__(self, loaded: Loaded, now: Admission | None) -> None:
        before = load_release(now.release) if now else None
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


def apply(act: Act) -> Admission:
    """Admit what the folders say and seed what is new; raises when it is refused or already in force."""
    from haitang.base.actions import permissions
    from haitang.server.seeding import seed

    load([])  # registers every permission
    admission = admit_release(act=act, owners=owners_with(None), permissions=permissions)
    current.forget()
    seed(load_in_force(), act=act)
    return admission


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
        return apply(act)
