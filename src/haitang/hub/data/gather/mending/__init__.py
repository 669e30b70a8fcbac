"""Quarantined rows out as a file and in again, by page."""
