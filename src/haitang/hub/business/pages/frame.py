"""What the page frame shows of the place and the reader."""

from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from haitang.base.actions import Actor
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.base.text import translate
from haitang.hub.business.notifications.queries import count_unseen
from haitang.hub.business.places.kinds import Place
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Organization

TOUR = Path(__file__).parent / "tour.yaml"


def place() -> Place | None:
    """The place in force; None before the first release, when only the error pages are shown."""
    try:
        return in_force().one(Place)
    except (HaitangError, StopIteration):
        return None


def inbox_count(actor: Actor) -> int:
    return count_unseen(actor)


def organization_title(actor: Actor) -> str:
    found = Organization.objects.filter(pk=actor.organization).values_list("title", flat=True).first()
    return translate(found) if found else ""


def role_titles(actor: Actor) -> list[str]:
    roles = in_force().all(Role)
    return [roles[id].title for id in sorted(actor.roles) if id in roles]


@cache
def _steps() -> list[dict[str, str]]:
    found: list[dict[str, str]] = YAML(typ="safe", pure=True).load(TOUR.read_text("utf-8"))
    return found


def guided_tour() -> list[dict[str, Any]]:
    """The steps of the guided tour in the reader's language."""
    return [{**step, "title": translate(step["title"]), "text": translate(step["text"])} for step in _steps()]
