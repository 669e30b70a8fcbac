"""The protocols behind the ports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from haitang.base.actions import Act, Actor, Refused


@dataclass(frozen=True)
class Decision:
    """Whether `permission` is given, and why, in words that a page can show; `code` is the why for programs, `policies` those that decided."""

    allowed: bool
    reason: str
    code: str = ""
    policies: tuple[str, ...] = ()


class Policy(Protocol):
    """Served by support.security.policy."""

    def decide(self, *, actor: "Actor", permission: str, resource: Any) -> Decision: ...


class Refusals(Protocol):
    """Served by support.security.policy: keeps what was refused, so that whoever was refused can read why."""

    def keep(self, refused: "Refused", *, way: str) -> str:
        """Keep a refusal, in a transaction of its own, and return the address of its explanation. `way`: method and path, without values."""
        ...


class EvidenceLedger(Protocol):
    """Served by support.security.evidence. `append` writes in the caller's transaction."""

    def append(self, *, act: "Act", action: str, subject_kind: str, subject_id: str, facts: Mapping[str, Any]) -> str: ...


@dataclass(frozen=True)
class Matter:
    """Something that needs handling: an alarm, a work order, a security finding.

    `key` makes raising idempotent: a matter raised again under the key of one that is still open returns that one's reference.
    `organization`: whom it goes to; None: the one that the case's type names. `description`: what a person reads first.
    """

    key: str
    case_kind: str
    title: str
    severity: str
    arose_at: datetime
    thing: str | None = None
    alarm: str | None = None
    origin: str = "live"
    facts: Mapping[str, Any] = field(default_factory=dict)
    organization: str | None = None
    description: str = ""


class Matters(Protocol):
    """Served by hub.business.cases."""

    def raise_matter(self, matter: Matter, *, act: "Act") -> str:
        """Open (or find) the case of this matter in the caller's transaction and return its id."""
        ...

    def note_cleared(self, key: str, *, at: datetime, act: "Act") -> None:
        """Put on the case's timeline that the cause has cleared; the case stays open."""
        ...

    def number_of(self, id: str) -> str:
        """The number under which people find the case of this id; empty where there is none."""
        ...


class LiveFeed(Protocol):
    """Served by support.infrastructure.stream: tells open pages that something changed, when the transaction commits."""

    def announce(self, topic: str, payload: Mapping[str, Any]) -> None: ...

    def announce_all(self, given: Sequence[tuple[str, Mapping[str, Any]]]) -> None: ...


class Notices(Protocol):
    """Served by hub.business.notifications: tell people; they are told once the transaction commits."""

    def tell(
        self,
        *,
        act: "Act",
        people: Sequence[str],
        title: str,
        text: str,
        link: str,
        subject: str,
        urgency: str = "normal",
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """`people` are person ids, `subject` what it is about (`case:<id>`), `urgency` normal, due_soon or overdue.

        `title` and `text` are zh-Hans texts of the catalogue with `{name}` places for `data`: each person reads them in their own language.
        """
        ...


class Duties(Protocol):
    """Served by hub.business.cases: the open work that is one person's own."""

    def open_of(self, person: str) -> int:
        """How many open matters were given to this person (id)."""
        ...

    def hand_over(self, *, act: "Act", giver: str, taker: str) -> int:
        """Give each of them to another person of the same organization, in the caller's transaction; returns how many."""
        ...


class Letters(Protocol):
    """Served by support.infrastructure.outside: a letter to an address outside the house."""

    def send(self, *, to: str, title: str, text: str, link: str) -> str:
        """Deliver now and return the receipt of the far end; empty where no mail is set up. Raises HaitangError when refused."""
        ...


class Channel(Protocol):
    """A way to reach a person: inbox, mail, DingTalk."""

    name: str

    def send(self, *, to: str, title: str, text: str, link: str) -> str:
        """Deliver and return the receipt of the far end; raise HaitangError when refused."""
        ...


class Divisions(Protocol):
    """Served by hub.business.places. `locate` gives the code of the smallest division with a boundary that holds each point, else an empty text.

    Points are CGCS2000 or WGS-84 in degrees; NaN is nowhere.
    """

    def locate(self, longitude: Any, latitude: Any) -> Sequence[str]: ...

    def known(self) -> frozenset[str]:
        """The codes of the place itself and of all its divisions."""
        ...


class SecondKey(Protocol):
    """Served by support.security.policy: which declarations decide who may do what, and so take the security administrator's consent too."""

    kinds: frozenset[str]

    def is_held(self) -> bool:
        """Whether anybody was ever given the office; before that nobody could consent."""
        ...

    def tell(self, before: Any, after: Any) -> "list[dict[str, str]]":
        """What the change from one `Loaded` to another does to permissions and sign-in, in words."""
        ...


class Seeding(Protocol):
    """Served by server: brings what a release declares into the tables of the rooms."""

    def seed(self) -> None:
        """Of the release that has just come in force, in the caller's transaction, as the process `setup`."""
        ...
