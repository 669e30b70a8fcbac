"""MQTT 3.1.1 (OASIS Standard, 29 October 2014) and 5 (OASIS Standard, 7 March 2019) for devices that publish.

The codec is sans-io: `wire` (data types), `properties`, `packets` (bytes -> packets), `writing` (packets -> bytes), `framer`. `process` is the listener; `connection` one
device's, `session` what outlives it, `topics` what it may publish and hear, `commands` what is said to it. A PUBACK or PUBREC leaves only after JetStream has
acknowledged the message. This is no broker: devices do not hear each other, nothing is retained (docs/adr/0032).
"""
