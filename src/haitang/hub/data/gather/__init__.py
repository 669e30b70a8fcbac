"""Gathering: files, databases and pages into resources. read = accepted + quarantined, always."""
