"""Django's session engine over our table, so that a session knows its person, device and times without a query more.

A session ends after its sort's `idle` without a click, after `session` in any case, and at once when its row is deleted.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from haitang.base import clock
from haitang.base.ids import new_id
from haitang.support.security.people.models import Session
from haitang.support.security.people.sign_in_policy import lives

NOT_SIGNED_IN_FOR = timedelta(minutes=30)  # a form, a provider elsewhere: long enough to type
SEEN_EVERY = timedelta(seconds=60)


class SessionStore(DatabaseStore):
    """One session. `device` (address, agent, how it was opened) is set by `sessions.open_session` before the first save."""

    row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Session | None:
        found: Session | None = Session.objects.filter(session_key=self.session_key, expire_date__gt=clock.now()).first()
        if found is None:
            self._session_key = None
        self.row = found
        return found

    def create(self) -> None:
        """A new key is a new row: while both are there they must not share an id, or Django would try for ever."""
        self.row = None
        data = self._get_session(no_load=True)  # type: ignore[attr-defined]
        if "id" in data:
            data["id"] = str(new_id())
        super().create()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        now = clock.now()
        started = datetime.fromisoformat(data["started"]) if "started" in data else now
        person, device = data.get(SESSION_KEY), data.get("device", {})
        return Session(
            session_key=self._get_or_create_session_key(),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=_ends(data, started, now),
            wall=UUID(data["wall"]) if "wall" in data else None,
            person_id=UUID(person) if person else None,
            by=data.get("by", ""),
            address=device.get("address", ""),
            agent=device.get("agent", ""),
            started_at=started,
            seen_at=now,
            **(
                {"id": UUID(data["id"])}
                if "id" in data
                else {"id": self.row.id}
                if self.row and self.row.session_key == self.session_key
                else {}
            ),
        )

    def touch(self) -> None:
        """The person did something: at most one write a minute."""
        now = clock.now()
        if self.row is None or now - self.row.seen_at < SEEN_EVERY or (self.row.person_id is None and self.row.wall is None):
            return
        if self.row.wall is not None:  # nobody clicks at a wall: it ends when it was said to
            Session.objects.filter(session_key=self.session_key).update(seen_at=now)
            return
        ends = ends_at(self.row.started_at, now, self.get("sort", ""))
        Session.objects.filter(session_key=self.session_key).update(seen_at=now, expire_date=ends)


def _ends(data: dict[str, Any], started: datetime, now: datetime) -> datetime:
    """When a session that is saved now ends: a wall's on the day that was set."""
    if "wall" in data:
        return datetime.fromisoformat(data["ends"])
    return ends_at(started, now, data.get("sort", "")) if data.get(SESSION_KEY) else now + NOT_SIGNED_IN_FOR


def ends_at(started: datetime, seen: datetime, sort: str) -> datetime:
    """When a session ends unless its person does something."""
    idle, whole = lives(sort or "staff")
    return min(seen + idle, started + whole)
