"""Starts an instance in order, restarts what dies, stops all cleanly."""
