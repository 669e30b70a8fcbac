"""States of a run by name, for who asks without Django's models."""

ENDED = ("done", "failed", "cancelled")  # a run does not leave them
