"""Topic aliases of one connection (MQTT 5, 3.3.2.3.4): a device says a topic once and its number from then on."""

from haitang.support.infrastructure.listeners.mqtt import reasons
from haitang.support.infrastructure.listeners.mqtt.packets import V5, Publish
from haitang.support.infrastructure.listeners.mqtt.wire import MqttError, protocol_error

MOST = 16


class Aliases:
    """What each number stands for."""

    def __init__(self) -> None:
        self._topics: dict[int, str] = {}

    def topic_of(self, packet: Publish, version: int) -> str:
        """The topic that a message is for; raises MqttError where it says none."""
        alias = packet.properties.get("topic_alias")
        if alias is not None:
            return self._by_alias(alias, packet.topic)
        if not packet.topic and version == V5:
            raise protocol_error("neither topic nor alias")
        return packet.topic

    def _by_alias(self, alias: int, topic: str) -> str:
        if alias > MOST:
            raise MqttError(reasons.BAD_ALIAS, "topic alias above the maximum")
        if topic:
            self._topics[alias] = topic
        elif alias not in self._topics:
            raise protocol_error("topic alias that was never set")
        return self._topics[alias]
