"""Topics: a device publishes only as itself and hears only its commands.

things/<thing>/observations             what it observed; a device's declaration may name another topic that contains {thing}
things/<thing>/commands                 commands to it
things/<thing>/commands/<id>/result     what became of a command: {"ok": true, ...}
"""

from haitang.support.infrastructure.listeners.known import Known
from haitang.support.infrastructure.listeners.mqtt import reasons


def is_name(topic: str) -> bool:
    """Whether this is a topic to publish to: not empty, without wildcards."""
    return bool(topic) and not any(wild in topic for wild in "+#")


def is_filter(topic: str) -> bool:
    """Whether this is a topic filter as section 4.7 allows it."""
    levels = topic.split("/")
    return bool(topic) and all(level in ("+", "#") or not any(w in level for w in "+#") for level in levels) and "#" not in levels[:-1]


def commands_of(thing: str) -> str:
    return f"things/{thing}/commands"


def grants(topic: str, thing: str) -> int:
    """The reason with which a subscription is answered: SUCCESS for the thing's own commands alone."""
    if topic.startswith("$share/"):
        return reasons.NO_SHARED
    if not is_filter(topic):
        return reasons.BAD_FILTER
    own = commands_of(thing)
    return reasons.SUCCESS if topic in (own, f"{own}/#") else reasons.NOT_AUTHORIZED


def route(topic: str, known: Known) -> tuple[str, str] | None:
    """What a message to this topic is: ("observations", ""), ("result", command id), ("unknown", topic); None: not this device's."""
    own = f"things/{known.thing}/"
    message = known.meaning.message
    if topic == f"{own}observations" or (message and topic == message.topic.replace("{thing}", known.thing)):
        return "observations", ""
    if not topic.startswith(own):
        return None
    levels = topic[len(own) :].split("/")
    if len(levels) == 3 and levels[0] == "commands" and levels[2] == "result":
        return "result", levels[1]
    return "unknown", topic
