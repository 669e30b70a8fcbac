"""Provisional resources: proposed from a file, in force and labelled at once, adopted or discarded by people."""
