"""Feeds: brokers of others (EMQX, Mosquitto, a vendor's platform) that this place subscribes to. A message is acknowledged to the broker once it is durable here."""
