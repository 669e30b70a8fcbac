"""The ways to reach a person beside the inbox, as this instance is set up."""

from collections.abc import Iterable

from haitang.base.ports import Channel
from haitang.base.settings import settings
from haitang.base.text import CHINESE
from haitang.hub.business.notifications.models import ChannelChoice
from haitang.support.infrastructure.outside.dingtalk import DingTalkRobot
from haitang.support.infrastructure.outside.mail import Mail
from haitang.support.security.people.models import Person

INBOX, MAIL, DINGTALK = "inbox", "mail", "dingtalk"
TITLES = {INBOX: "站内通知", MAIL: "电子邮件", DINGTALK: "钉钉群机器人"}
TO_A_GROUP = {DINGTALK}  # one message reaches everyone who is told the same


def channel(name: str) -> Channel | None:
    """The channel, or None where this instance has none of that name."""
    s = settings()
    if name == MAIL and s.mail_url:
        return Mail(s.mail_url, s.mail_from)
    if name == DINGTALK and s.dingtalk_webhook:
        return DingTalkRobot(s.dingtalk_webhook, s.dingtalk_secret)
    return None


def address(name: str, person: Person) -> str | None:
    """Where a channel finds a person; None where it cannot. The robot reaches the group even without a mobile number to highlight."""
    if name == MAIL:
        return person.email or None
    return person.mobile if name == DINGTALK else None


def wanted(person: Person) -> list[str]:
    """The channels that the person chose, all where none was chosen; whether this instance has them or not.

    Of people read with their `channel_choice` it is known already.
    """
    choice: ChannelChoice | None = getattr(person, "channel_choice", None)
    return list(choice.channels) if choice else [MAIL, DINGTALK]


def configured() -> list[str]:
    """The channels that this instance has."""
    return [name for name in (MAIL, DINGTALK) if channel(name) is not None]


def channels_of(person: Person) -> list[str]:
    """The channels that a notice to this person goes out on, besides the inbox."""
    return [name for name in configured() if name in wanted(person) and address(name, person) is not None]


def language_of(people: Iterable[Person]) -> str:
    """The language in which something goes out to these people: the one that all of them chose, else Chinese."""
    chosen = dict(ChannelChoice.objects.filter(person__in=(found := list(people))).values_list("person_id", "language"))
    languages = {chosen.get(person.pk, CHINESE) for person in found}
    return languages.pop() if len(languages) == 1 else CHINESE
