"""Haitang (海棠): an open platform that runs a smart district."""

__version__ = "0.1.0"
